"""When in a training something is computed."""

from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.random import Generator


class StepId(NamedTuple):
    """One optimiser step of a training; the same on every process and after a resume.

    Args:
        seed: The run's seed.
        epoch: Number of the epoch, from 0.
        step: Number of the optimiser step in its epoch, from 0; all batches of an accumulation window have the same.
    """

    seed: int = 0
    epoch: int = 0
    step: int = 0

    def draw(self, purpose: str) -> Generator:
        """Return random numbers that depend on the step_id and the purpose alone.

        Example:
            >>> first, again, other = (StepId(1, 0, step).draw("order").random() for step in (3, 3, 4))
            >>> bool(first == again), bool(first == other)
            (True, False)
        """
        return np.random.default_rng([self.seed, self.epoch, self.step, crc32(purpose.encode())])
