"""How long a training is: the batches of each epoch, and the optimiser steps."""

import math
from dataclasses import dataclass

from tasks import InputError


@dataclass(frozen=True)
class Length:
    """What ends a training.

    Args:
        epoch_batches: Batches of a whole epoch, as many as the trainer takes.
        window: Batches of an optimiser step; the last step of an epoch may have fewer.
        max_epochs: Epochs at most; None or -1 for no limit.
        max_steps: Optimiser steps at most; -1 for no limit.

    Raises:
        InputError: If nothing ends it, or an epoch has no batch.
    """

    epoch_batches: int
    window: int = 1
    max_epochs: int | None = None
    max_steps: int = -1

    def __post_init__(self) -> None:
        if self.epoch_batches < 1:
            raise InputError("trainer.limit_train_batches leaves no batch of an epoch (expected more)")
        if self.max_epochs in (None, -1) and self.max_steps < 0:
            raise InputError("a training without an end has no plan: set trainer.max_epochs or trainer.max_steps")

    @property
    def epoch_steps(self) -> int:
        """Optimiser steps of a whole epoch."""
        return math.ceil(self.epoch_batches / self.window)

    @property
    def steps(self) -> int:
        """Optimiser steps of the training."""
        by_epochs = math.inf if self.max_epochs in (None, -1) else self.epoch_steps * (self.max_epochs or 0)
        return int(min(by_epochs, math.inf if self.max_steps < 0 else self.max_steps))

    @property
    def batches(self) -> list[int]:
        """Batches of each epoch; the last one may be cut by max_steps.

        Example:
            >>> Length(epoch_batches=9, window=2, max_epochs=3, max_steps=7).batches
            [9, 4]
        """
        whole, rest = divmod(self.steps, self.epoch_steps)
        return [self.epoch_batches] * whole + ([rest * self.window] if rest else [])

    def step_after(self, epoch: int, batch: int) -> int:
        """Count the optimiser steps done after the first batches of an epoch.

        Args:
            epoch: Number of the epoch, from 0.
            batch: Batches of it that are done.
        """
        inside = self.epoch_steps if batch >= self.epoch_batches else batch // self.window
        return epoch * self.epoch_steps + inside
