"""Training losses of each task."""

from typing import Any

import lightning.pytorch as L
import torch
from torch import Tensor


class TaskLosses(L.Callback):
    """Logs `train/<task>/loss`, the mean since the last log, every `log_every_n_steps` optimiser steps.

    What is added to the loss is logged beside it: `train/<task>/teacher`, `/auxiliary`, `/regularizer`, each with the
    factor that it enters with.

    Lightning's `self.log(on_step=True)` would write every task's last value again at each log step, stale for the tasks
    that were not trained in between; here a task is written only when it was. Losses that are no finite numbers (of
    steps that the guard leaves out) do not count. The sums stay on the device: only a log step waits for them. With
    several processes they are those of the first one's rows. `log_every_n_steps` 0 logs at the end of training only.

    Attributes:
        latest: The losses last logged, by task.
    """

    def __init__(self) -> None:
        self.latest: dict[str, float] = {}
        self._sums: dict[str, tuple[Tensor, Tensor]] = {}  # by <task>/<name>: of losses times rows, and of rows
        self._logged_step = 0

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count a step's loss, and log when due."""
        for name, (value, rows) in outputs["terms"].items():
            self._count(name, value.detach().float(), rows)
        step, every = trainer.global_step, trainer.log_every_n_steps  # type: ignore[attr-defined]
        if every and step % every == 0 and step != self._logged_step:
            self._log(trainer, step)

    def _count(self, name: str, loss: Tensor, rows: int) -> None:
        if not rows:  # none has a label
            return
        total, count = self._sums.get(name, (torch.zeros_like(loss), torch.zeros_like(loss)))
        total, count = total.to(loss.device), count.to(loss.device)  # those of a resumed run come on the CPU
        is_finite = loss.isfinite()
        self._sums[name] = (total + (loss * rows).where(is_finite, 0.0), count + is_finite * float(rows))

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log what is left."""
        self._log(trainer, trainer.global_step)

    def state_dict(self) -> dict[str, Any]:
        """Return the sums since the last log."""
        sums = {name: [float(total), float(count)] for name, (total, count) in self._sums.items()}
        return {"sums": sums, "latest": self.latest, "logged_step": self._logged_step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the sums of the resumed run."""
        self.latest = state_dict["latest"]
        self._logged_step = state_dict["logged_step"]
        self._sums = {
            name: (torch.tensor(total), torch.tensor(count)) for name, (total, count) in state_dict["sums"].items()
        }

    def _log(self, trainer: L.Trainer, step: int) -> None:
        self._logged_step = step
        means = [total / count for total, count in self._sums.values()]
        values = dict(zip(self._sums, torch.stack(means).tolist() if means else [], strict=True))
        self._sums.clear()
        self.latest.update(
            {name.removesuffix("/loss"): value for name, value in values.items() if name.endswith("/loss")}
        )
        for logger in trainer.loggers:
            logger.log_metrics({f"train/{name}": value for name, value in values.items()}, step=step)
