"""The progress bar."""

from typing import Any

import lightning.pytorch as L
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.callbacks.progress.rich_progress import RichProgressBarTheme

from callbacks.losses import TaskLosses


class TaskProgressBar(RichProgressBar):
    """Lightning's rich progress bar with every task's latest training loss and the dev mean."""

    def __init__(self) -> None:
        super().__init__(theme=RichProgressBarTheme(metrics_format=".3f"))

    def get_metrics(self, trainer: L.Trainer, pl_module: L.LightningModule) -> dict[str, Any]:
        """Give the numbers to show, by short names."""
        shown: dict[str, Any] = super().get_metrics(trainer, pl_module)
        shown.pop("v_num", None)
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, TaskLosses):
                shown.update({f"loss {task}": value for task, value in callback.latest.items()})
        return shown
