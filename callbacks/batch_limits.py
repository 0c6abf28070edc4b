"""Limits on batches that the data does not allow."""

import lightning.pytorch as L
from lightning.pytorch.callbacks import EarlyStopping

from callbacks.monitors import check_monitors
from callbacks.plateau import ReduceShareOnPlateau
from datamodules import resumable_data
from datamodules.limits import limit_batches
from lightning_modules import MaskedLMModule, MultitaskModule
from tasks import InputError


class BatchLimits(L.Callback):
    """Refuses, once the data is read and before training, what the number of batches makes impossible.

    That is a training without batches, a validation that never comes, and a monitored score that
    `trainer.limit_val_batches` leaves out. Writes nothing and changes nothing.
    """

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Check the limits of a training.

        Raises:
            InputError: If one does not fit the data.
        """
        if stage != "fit" or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        check_training(trainer, resumable_data(trainer).count_batches())
        callbacks: list[L.Callback] = trainer.callbacks  # type: ignore[attr-defined]
        if trainer.limit_val_batches == 0:
            _refuse_waiting(callbacks)
            return
        assert isinstance(pl_module, MultitaskModule | MaskedLMModule)
        where = f" with trainer.limit_val_batches {trainer.limit_val_batches}"
        check_monitors(callbacks, pl_module.validation_scores(count_validated(trainer)), where=where)


def check_training(trainer: L.Trainer, batches: int) -> None:
    """Refuse an epoch without a batch, and an interval between validations that no epoch reaches.

    Args:
        trainer: The trainer.
        batches: Batches of an epoch, as many as the trainer takes.
    """
    if batches == 0:
        raise InputError(
            f"trainer.limit_train_batches is {trainer.limit_train_batches}, which leaves no batch of an epoch "
            "(expected a larger share, or a whole number of batches)"
        )
    interval = getattr(trainer, "val_check_interval", None)  # not there where it is a time
    in_epochs = trainer.check_val_every_n_epoch is not None and trainer.limit_val_batches > 0
    if isinstance(interval, int) and interval > batches and in_epochs:
        raise InputError(
            f"trainer.val_check_interval is {interval}, but an epoch has {batches} batches (expected {batches} or "
            "less; --trainer.check_val_every_n_epoch null counts batches over epochs)"
        )


def count_validated(trainer: L.Trainer) -> int:
    """Count the batches of a validation, over all processes.

    Raises:
        InputError: If there is none.
    """
    data = resumable_data(trainer)
    whole, limit = len(data.val_dataloader()), trainer.limit_val_batches
    batches = limit_batches(whole, limit)
    if batches == 0:
        raise InputError(
            f"trainer.limit_val_batches is {limit}, which leaves none of {whole} batches (expected a larger share, "
            "or a whole number of batches)"
        )
    return batches * trainer.world_size


def _refuse_waiting(callbacks: list[L.Callback]) -> None:
    for callback in callbacks:
        if isinstance(callback, EarlyStopping) or (isinstance(callback, ReduceShareOnPlateau) and callback.patience):
            raise InputError(f"{type(callback).__name__} needs validations, but trainer.limit_val_batches is 0")
