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
    """Lightning's rich progress bar with every task's latest training loss and the dev mean; epochs count from 1.

    It ends before results are printed, so that they stand below it. Belongs before the callbacks that print.
    """

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

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Show the epoch."""
        super().on_train_epoch_start(trainer, pl_module)
        self._name_epoch(trainer)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Show the step; a training that resumes inside an epoch shows the epoch here."""
        is_new = self.train_progress_bar_id is None
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
        if is_new:
            self._name_epoch(trainer)

    def _name_epoch(self, trainer: L.Trainer) -> None:
        if self.progress is None or self.train_progress_bar_id is None:
            return
        most = f"/{trainer.max_epochs}" if (trainer.max_epochs or -1) > 0 else ""
        name = f"Epoch {trainer.current_epoch + 1}{most}".ljust(len(self.validation_description))
        self.progress.update(self.train_progress_bar_id, description=name)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Leave the terminal to the results."""
        self.finish()

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Leave the terminal to the results of `validate`."""
        super().on_validation_end(trainer, pl_module)
        if trainer.state.fn == "validate":
            self.finish()

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Leave the terminal to the results."""
        super().on_test_end(trainer, pl_module)
        self.finish()

    def on_predict_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Leave the terminal to the results."""
        super().on_predict_end(trainer, pl_module)
        self.finish()

    def finish(self) -> None:
        """Show the last state and end the line; the next stage starts a new bar."""
        if self.progress is not None:
            self.progress.stop()
            self.progress = None
