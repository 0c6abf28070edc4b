"""Schedules that give all tasks the same number of batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from datamodules.schedules.schedule import Epoch, Schedule


@dataclass(frozen=True)
class RoundRobin(Schedule):
    """One batch of each task in turn: all tasks get the same number of steps, whatever their size.

    Prefer RoundRobinShuffled unless the tasks are to count the same: this one leaves examples out ("shortest") or
    repeats those of small tasks ("longest").

    Args:
        stop: "shortest" ends the epoch with the smallest task; "longest" goes on to the largest, while smaller ones
            start another pass.

    Raises:
        ValueError: If stop is neither.

    Source: RoundRobinBatchSampler of sentence-transformers (for "shortest"), https://www.sbert.net

    Example:
        >>> rng = np.random.default_rng(0)
        >>> RoundRobin("longest").order(Epoch(batches={"sst": 1, "quora": 3}, rng=rng))
        array([0, 1, 0, 1, 0, 1])
    """

    stop: Literal["shortest", "longest"] = "shortest"

    def __post_init__(self) -> None:
        if self.stop not in ("shortest", "longest"):
            raise ValueError(f"RoundRobin: stop is {self.stop!r} (expected 'shortest' or 'longest')")

    def num_steps(self, batches: Sequence[int]) -> int:
        """Count the turns times the tasks."""
        return len(batches) * self._num_turns(batches)

    def order(self, epoch: Epoch) -> np.ndarray:
        """Repeat the turn of all tasks."""
        return np.tile(np.arange(len(epoch.batches)), self._num_turns(epoch.counts))

    def _num_turns(self, batches: Sequence[int]) -> int:
        return min(batches) if self.stop == "shortest" else max(batches)


@dataclass(frozen=True)
class Joint(Schedule):
    """One batch of every task in every optimiser step, which follows the mean of their gradients.

    The batches of a step are an accumulation window, and losses are divided by its size as in any other: clipping sees
    the mean of the tasks' gradients, not their sum. `--trainer.accumulate_grad_batches` is the number of tasks or a
    multiple of it; the command line sets it if it is 1. Gradient surgery compares the tasks inside the window. Against
    RoundRobin, which makes a step of each batch, there are fewer and steadier steps for the same work.

    Args:
        stop: "shortest" ends the epoch with the smallest task; "longest" goes on to the largest, while smaller ones
            start another pass.

    Raises:
        ValueError: If stop is neither.

    Source: the summed multitask loss of the CS224N default project's handout, section 5.3.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> Joint("longest").order(Epoch(batches={"sst": 1, "quora": 2}, rng=rng))
        array([0, 1, 0, 1])
        >>> Joint().window(num_tasks=2)
        2
    """

    stop: Literal["shortest", "longest"] = "shortest"

    def __post_init__(self) -> None:
        if self.stop not in ("shortest", "longest"):
            raise ValueError(f"Joint: stop is {self.stop!r} (expected 'shortest' or 'longest')")

    def num_steps(self, batches: Sequence[int]) -> int:
        """Count the batches of all turns."""
        return RoundRobin(self.stop).num_steps(batches)

    def window(self, num_tasks: int) -> int:
        """Return one batch a task."""
        return num_tasks

    def order(self, epoch: Epoch) -> np.ndarray:
        """Repeat the turn of all tasks."""
        return RoundRobin(self.stop).order(epoch)
