"""The progress bar."""

from typing import Any

import lightning.pytorch as L
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.callbacks.progress.rich_progress import (
    CustomBarColumn,
    ProcessingSpeedColumn,
    RichProgressBarTheme,
)
from rich import get_console

from callbacks.losses import TaskLosses
from lightning_internals import keep_numbers_on_one_line

WIDE = 150  # characters; the bar takes 40


class TaskProgressBar(RichProgressBar):
    """Lightning's rich progress bar with every task's latest training loss and the dev mean."""

    def __init__(self) -> None:
        super().__init__(theme=RichProgressBarTheme(metrics_format=".3f"))

    def configure_columns(self, trainer: L.Trainer) -> list[Any]:
        """Return the columns before the numbers; without bar and speed where they would break the line."""
        columns: list[Any] = super().configure_columns(trainer)
        keep_numbers_on_one_line(self)
        if get_console().width >= WIDE:
            return columns
        return [column for column in columns if not isinstance(column, CustomBarColumn | ProcessingSpeedColumn)]

    def get_metrics(self, trainer: L.Trainer, pl_module: L.LightningModule) -> dict[str, Any]:
        """Return the numbers to show, by short names."""
        shown: dict[str, Any] = super().get_metrics(trainer, pl_module)
        shown.pop("v_num", None)
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, TaskLosses):
                shown.update({f"loss {task}": value for task, value in callback.latest.items()})
        return shown
