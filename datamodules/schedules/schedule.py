"""A schedule: which task comes at each step of an epoch.

It knows each task only by its number of batches; which rows a batch holds is the sampler's business. Tasks that share
their rows come together, as one task whose name joins theirs by `+`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

JOINED = "+"  # between the names of tasks that share their rows; no name of a task has it


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """What a schedule orders.

    Args:
        batches: Batches in one pass over the rows of each task, by name; each at least 1. A schedule may ask for more:
            the task then starts another pass.
        number: Number of the epoch, from 0.
        max_epochs: Epochs of the whole training; None or -1 if it has no end.
        rng: The only source of randomness, seeded afresh for each epoch.
    """

    batches: Mapping[str, int]
    number: int = 0
    max_epochs: int | None = None
    rng: Generator

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks."""
        return list(self.batches)

    def place_of(self, task: str) -> int | None:
        """Return the place of a task, or of those that it shares its rows with, among the tasks; None if it has none.

        Example:
            >>> Epoch(batches={"sst": 2, "topic+stars": 4}, rng=np.random.default_rng(0)).place_of("stars")
            1
        """
        return next((place for place, name in enumerate(self.tasks) if task in (name, *name.split(JOINED))), None)

    @property
    def counts(self) -> list[int]:
        """Batches of each task, in their order."""
        return list(self.batches.values())


class Schedule(ABC):
    """Which task comes at each step of an epoch."""

    def num_steps(self, batches: Sequence[int]) -> int:
        """Count the steps of an epoch: all batches of all tasks, unless a schedule says otherwise.

        It is the same for every epoch, since Lightning asks only once.

        Args:
            batches: Batches in one pass over the rows of each task.
        """
        return sum(batches)

    def window(self, num_tasks: int) -> int:
        """Count the batches that belong to one optimiser step; `accumulate_grad_batches` is a multiple of it."""
        return 1

    @abstractmethod
    def order(self, epoch: Epoch) -> np.ndarray:
        """Return the task of each step: its place among the epoch's tasks, (num_steps,) int64."""


def each_batch_once(batches: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the place of each task as often as it has batches, task after task.

    Example:
        >>> each_batch_once([1, 3])
        array([0, 1, 1, 1])
    """
    return np.repeat(np.arange(len(batches)), batches)
