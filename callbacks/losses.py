"""Training loss of each task."""

from typing import Any

import lightning.pytorch as L
import torch
from torch import Tensor


class TaskLosses(L.Callback):
    """Logs `train/<task>/loss`, the mean since the last log, every `log_every_n_steps` optimiser steps.

    Lightning's `self.log(on_step=True)` would write every task's last value again at each log step, stale for the tasks
    that were not trained in between; here a task is written only when it was. Losses that are no finite numbers (of
    steps that the guard leaves out) do not count. The sums stay on the device: only a log step waits for them.

    Attributes:
        latest: The values last logged.
    """

    def __init__(self) -> None:
        self.latest: dict[str, float] = {}
        self._sums: dict[str, tuple[Tensor, Tensor]] = {}  # of losses times rows, and of rows
        self._logged_step = 0

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count a step's loss, and log when due."""
        loss, rows = outputs["task_loss"].detach().float(), len(batch.rows)
        total, count = self._sums.get(batch.task, (torch.zeros_like(loss), torch.zeros_like(loss)))
        total, count = total.to(loss.device), count.to(loss.device)  # those of a resumed run come on the CPU
        is_finite = loss.isfinite()
        self._sums[batch.task] = (total + (loss * rows).where(is_finite, 0.0), count + is_finite * float(rows))
        step = trainer.global_step
        if step % trainer.log_every_n_steps == 0 and step != self._logged_step:  # type: ignore[attr-defined]
            self._log(trainer, step)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log what is left."""
        self._log(trainer, trainer.global_step)

    def state_dict(self) -> dict[str, Any]:
        """Give the sums since the last log."""
        sums = {task: [float(total), float(count)] for task, (total, count) in self._sums.items()}
        return {"sums": sums, "latest": self.latest, "logged_step": self._logged_step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the sums of the resumed run."""
        self.latest = state_dict["latest"]
        self._logged_step = state_dict["logged_step"]
        self._sums = {
            task: (torch.tensor(total), torch.tensor(count)) for task, (total, count) in state_dict["sums"].items()
        }

    def _log(self, trainer: L.Trainer, step: int) -> None:
        self._logged_step = step
        means = [total / count for total, count in self._sums.values()]
        values = dict(zip(self._sums, torch.stack(means).tolist() if means else [], strict=True))
        self._sums.clear()
        self.latest.update(values)
        for logger in trainer.loggers:
            logger.log_metrics({f"train/{task}/loss": value for task, value in values.items()}, step=step)
