"""The progress bar."""

from typing import Any

import lightning.pytorch as L
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.callbacks.progress.rich_progress import (
    CustomBarColumn,
    ProcessingSpeedColumn,
    RichProgressBarTheme,
)
from rich.table import Column

from callbacks.losses import TaskLosses

WIDE = 150  # characters; the bar takes 40


class TaskProgressBar(RichProgressBar):
    """Lightning's rich progress bar with every task's latest training loss and the dev mean."""

    def __init__(self) -> None:
        super().__init__(theme=RichProgressBarTheme(metrics_format=".3f"))

    def configure_columns(self, trainer: L.Trainer) -> list[Any]:
        """Return the columns before the numbers; without bar and speed where they would break the line."""
        columns: list[Any] = super().configure_columns(trainer)
        if self._console is None or self._console.width >= WIDE:
            return columns
        return [column for column in columns if not isinstance(column, CustomBarColumn | ProcessingSpeedColumn)]

    def _init_progress(self, trainer: L.Trainer) -> None:
        super()._init_progress(trainer)
        if self._metric_component is not None:
            self._metric_component._table_column = Column(overflow="ignore")  # cut off instead of wrapped

    def get_metrics(self, trainer: L.Trainer, pl_module: L.LightningModule) -> dict[str, Any]:
        """Return the numbers to show, by short names."""
        shown: dict[str, Any] = super().get_metrics(trainer, pl_module)
        shown.pop("v_num", None)
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, TaskLosses):
                shown.update({f"loss {task}": value for task, value in callback.latest.items()})
        return shown
