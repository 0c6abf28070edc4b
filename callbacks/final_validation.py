"""A validation of the final weights, whatever else the Trainer was asked for."""

import logging
from collections.abc import Iterable
from typing import Any

import lightning.pytorch as L
import torch
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor, nn

from lightning_internals import validate_after_training

log = logging.getLogger(__name__)


class FinalValidation(L.Callback):
    """Asks for a validation where none falls on the last step, and where a finished training is resumed.

    So it does where a callback has changed the weights since: scores and digest of a run are those of the same weights.
    Belongs before the callbacks that write what a validation gave, and behind those that change weights.
    """

    def __init__(self) -> None:
        self._validated_step: int | None = None
        self._validated = torch.empty(0)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Validate at `max_steps` before the loop ends, while a checkpoint still knows the place inside the epoch."""
        if trainer.max_steps == trainer.global_step:
            trainer.should_stop = True

    def on_validation_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Remember the weights that are validated, averaged ones where there are some."""
        self._validated = fingerprint(pl_module.parameters())

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Remember after which step weights were validated."""
        self._validated_step = trainer.global_step

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Validate what came after the last validation."""
        if self._validated_step != trainer.global_step and trainer.enable_validation:
            validate_after_training(trainer)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Validate where no step was left to train, or where the weights are others by now."""
        if not trainer.enable_validation:
            return
        if self._validated_step != trainer.global_step:
            validate_after_training(trainer)
        elif not torch.equal(fingerprint(pl_module.parameters()), self._validated):
            rank_zero_only(log.warning)(
                "a callback changed the weights after the last validation: the final ones are validated now, "
                "checkpoints hold the earlier ones"
            )
            validate_after_training(trainer)


@torch.no_grad()
def fingerprint(parameters: Iterable[nn.Parameter]) -> Tensor:
    """Return two numbers a parameter that change with it, (P, 2); cheaper than a digest."""
    numbers = [
        torch.stack([each.detach().float().sum(), each.detach().float().norm()]).nan_to_num() for each in parameters
    ]
    return torch.stack(numbers).cpu()
