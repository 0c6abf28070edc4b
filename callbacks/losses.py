"""Training loss of each task."""

from typing import Any

import lightning.pytorch as L
import torch
from torchmetrics import MeanMetric


class TaskLosses(L.Callback):
    """Logs `train/<task>/loss`, the mean since the last log, every `log_every_n_steps` optimiser steps.

    Lightning's `self.log(on_step=True)` would write every task's last value again at each log step, stale for the tasks
    that were not trained in between; here a task is written only when it was.

    Attributes:
        latest: The values last logged.
    """

    def __init__(self) -> None:
        self.latest: dict[str, float] = {}
        self._means: dict[str, MeanMetric] = {}
        self._logged_step = 0

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count a step's loss, and log when due."""
        mean = self._means.setdefault(batch.task, MeanMetric(sync_on_compute=False)).to(pl_module.device)
        mean.update(outputs["task_loss"], weight=len(batch.rows))
        step = trainer.global_step
        if step % trainer.log_every_n_steps == 0 and step != self._logged_step:  # type: ignore[attr-defined]
            self._log(trainer, step)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log what is left."""
        self._log(trainer, trainer.global_step)

    def state_dict(self) -> dict[str, Any]:
        """Give the sums since the last log."""
        sums = {task: [float(mean.mean_value), float(mean.weight)] for task, mean in self._means.items()}
        return {"sums": sums, "latest": self.latest, "logged_step": self._logged_step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the sums of the resumed run."""
        self.latest = state_dict["latest"]
        self._logged_step = state_dict["logged_step"]
        for task, (total, weight) in state_dict["sums"].items():
            self._means[task] = mean = MeanMetric(sync_on_compute=False)
            mean.mean_value, mean.weight = torch.tensor(total), torch.tensor(weight)

    def _log(self, trainer: L.Trainer, step: int) -> None:
        self._logged_step = step
        values = {task: float(mean.compute()) for task, mean in self._means.items()}
        self._means.clear()
        self.latest.update(values)
        for logger in trainer.loggers:
            logger.log_metrics({f"train/{task}/loss": value for task, value in values.items()}, step=step)
