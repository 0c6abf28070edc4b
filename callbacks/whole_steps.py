"""A training that something ends finishes its optimiser step."""

from typing import Any

import lightning.pytorch as L

from lightning_internals import window_ends


class WholeSteps(L.Callback):
    """Puts a stop off to the end of the accumulation window under way, whose gradients are in no checkpoint.

    The stop is that of `trainer.max_time`, EarlyStopping or any callback that sets `trainer.should_stop`. Belongs
    behind them, and before the callbacks that save.
    """

    def __init__(self) -> None:
        self._is_put_off = False

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Put off a stop, or let it happen."""
        self._settle(trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Put off a stop that a validation inside a window asks for."""
        if not trainer.sanity_checking:
            self._settle(trainer)

    def _settle(self, trainer: L.Trainer) -> None:
        is_asked = trainer.should_stop or self._is_put_off
        trainer.should_stop = is_asked and window_ends(trainer)
        self._is_put_off = is_asked and not trainer.should_stop
