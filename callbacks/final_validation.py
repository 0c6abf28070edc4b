"""A validation of the final weights, whatever else the Trainer was asked for."""

from typing import Any

import lightning.pytorch as L

from lightning_internals import validate_after_training


class FinalValidation(L.Callback):
    """Asks for a validation where none falls on the last step, and where a finished training is resumed.

    Belongs before the callbacks that write what a validation gave.
    """

    def __init__(self) -> None:
        self._validated_step: int | None = None

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Validate at `max_steps` before the loop ends, while a checkpoint still knows the place inside the epoch."""
        if trainer.max_steps == trainer.global_step:
            trainer.should_stop = True

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Remember which weights were validated."""
        self._validated_step = trainer.global_step

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Validate what came after the last validation."""
        self._validate(trainer)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Validate where no step was left to train."""
        self._validate(trainer)

    def _validate(self, trainer: L.Trainer) -> None:
        if self._validated_step == trainer.global_step or not trainer.enable_validation:
            return
        validate_after_training(trainer)
