"""Schedules: which task comes at each step of an epoch.

A schedule knows each task only by its number of batches; which rows a batch holds is the sampler's business.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator

from datamodules.shares import divide


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


@dataclass(frozen=True)
class Sequential(Schedule):
    """Task after task, in the order given: every example once an epoch.

    The last task has the last word, so the earlier ones are partly forgotten: a baseline. Prefer RoundRobinShuffled.

    Source: the multi-task baseline of the CS224N default project (minBERT).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> Sequential().order(Epoch(batches={"sst": 2, "quora": 4}, rng=rng))
        array([0, 0, 1, 1, 1, 1])
    """

    def order(self, epoch: Epoch) -> np.ndarray:
        """Repeat each task for all its batches."""
        return _each_batch_once(epoch.counts)


@dataclass(frozen=True)
class Shuffled(Schedule):
    """All batches of all tasks shuffled together ("even batching"): every example once an epoch.

    A small task can by chance be away for long; RoundRobinShuffled bounds that.

    Source: Liu et al. 2019 (MT-DNN), algorithm 1, https://arxiv.org/abs/1901.11504

    Example:
        >>> rng = np.random.default_rng(0)
        >>> order = Shuffled().order(Epoch(batches={"sst": 2, "quora": 4}, rng=rng))
        >>> np.bincount(order).tolist()
        [2, 4]
    """

    def order(self, epoch: Epoch) -> np.ndarray:
        """Shuffle the batches of all tasks."""
        return epoch.rng.permutation(_each_batch_once(epoch.counts))


@dataclass(frozen=True)
class RoundRobinShuffled(Schedule):
    """Rounds with every task's fair share of batches, shuffled inside the round: every example once an epoch.

    The default: it uses all the data and keeps no task waiting. There are R rounds, R the batches of the smallest task.
    Round r holds floor((r+1)·n/R) - floor(r·n/R) batches of a task with n batches, at least one; so from one batch of a
    task to its next it is less than the length of two rounds.

    Source: RoundRobin and Shuffled joined; the shares are Bresenham's line.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> order = RoundRobinShuffled().order(Epoch(batches={"sst": 2, "quora": 5}, rng=rng))
        >>> sorted(order[:3].tolist()), sorted(order[3:].tolist())
        ([0, 1, 1], [0, 1, 1, 1])
    """

    def order(self, epoch: Epoch) -> np.ndarray:
        """Shuffle the batches of each round."""
        num_rounds = min(epoch.counts)
        # Batch j lies in the round r with floor(r·n/R) <= j < floor((r+1)·n/R), which solved for r is:
        rounds = np.concatenate([((np.arange(n) + 1) * num_rounds - 1) // n for n in epoch.counts])
        return _each_batch_once(epoch.counts)[np.lexsort((epoch.rng.random(len(rounds)), rounds))]


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
    """One batch of every task in every optimiser step, which follows the sum of their gradients.

    The batches of a step are an accumulation window: `--trainer.accumulate_grad_batches` is the number of tasks, or a
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


@dataclass(frozen=True)
class Temperature(Schedule):
    """Shares of the steps proportional to n^alpha, shuffled: large tasks are cut, small ones repeated.

    An epoch has as many steps as all tasks have batches. Shares are exact (largest remainder), not drawn, so every task
    has at least one step. n counts batches; with one batch size for all tasks that is the usual share by examples.
    Prefer RoundRobinShuffled where every example is to be seen.

    Args:
        alpha: 1 is Shuffled, 0 the same number of steps for every task, 0.5 the square root.

    Raises:
        ValueError: If alpha is not in [0, 1].

    Source: Stickland & Murray 2019 (square root sampling), https://arxiv.org/abs/1902.02671

    Example:
        >>> rng = np.random.default_rng(0)
        >>> order = Temperature(0.5).order(Epoch(batches={"sst": 4, "quora": 36}, rng=rng))
        >>> np.bincount(order).tolist()  # 2 : 6, over 40 steps
        [10, 30]
    """

    alpha: float = 0.5

    def __post_init__(self) -> None:
        _check_fraction("Temperature: alpha", self.alpha)

    def order(self, epoch: Epoch) -> np.ndarray:
        """Shuffle each task's share of the steps."""
        return epoch.rng.permutation(_each_batch_once(_steps_by_power(epoch.counts, self.alpha)))


@dataclass(frozen=True)
class Annealed(Schedule):
    """Temperature whose alpha goes linearly from start in the first epoch to end in the last.

    By size at first, nearly alike at last, when forgetting a small task costs most. Prefer Temperature for a run
    without a known end. A run resumed with another max_epochs gets other shares.

    Args:
        start: alpha of the first epoch.
        end: alpha of the last epoch.

    Raises:
        ValueError: If start or end is not in [0, 1], or (from order) if max_epochs is None or -1.

    Source: Stickland & Murray 2019, alpha = 1 - 0.8·(e-1)/(E-1), https://arxiv.org/abs/1902.02671

    Example:
        >>> rng = np.random.default_rng(0)
        >>> for epoch in range(3):
        ...     coming = Epoch(batches={"sst": 4, "quora": 36}, number=epoch, max_epochs=3, rng=rng)
        ...     print(np.bincount(Annealed(start=1, end=0).order(coming)).tolist())
        [4, 36]
        [10, 30]
        [20, 20]
    """

    start: float = 1.0
    end: float = 0.2

    def __post_init__(self) -> None:
        _check_fraction("Annealed: start", self.start)
        _check_fraction("Annealed: end", self.end)

    def order(self, epoch: Epoch) -> np.ndarray:
        """Shuffle each task's share of the steps in this epoch."""
        last = epoch.max_epochs
        if last is None or last < 1:
            raise ValueError(
                f"Annealed: trainer.max_epochs is {last} (expected at least 1, since alpha ends with the last; "
                "for a shorter training limit the examples, --tasks.NAME.train_limit, not the steps)"
            )
        done = min(epoch.number / max(last - 1, 1), 1.0)
        alpha = (1 - done) * self.start + done * self.end
        return epoch.rng.permutation(_each_batch_once(_steps_by_power(epoch.counts, alpha)))


@dataclass(frozen=True)
class Staged(Schedule):
    """One task alone for the first epochs, then another schedule.

    Every epoch has the steps of `then`; the first task cycles through its rows to fill them. `then` counts epochs from
    the start of the training, so stages nest: Staged("quora", 1, then=Staged("sts", 2)) is quora, sts, then mixed.

    Args:
        first: Name of the task that comes first.
        epochs: Number of epochs it has for itself.
        then: Schedule of the later epochs.

    Raises:
        ValueError: If epochs is less than 1, or (from order) if no task is called first.

    Source: Phang et al. 2018 (training on an intermediate task first), https://arxiv.org/abs/1811.01088

    Example:
        >>> rng = np.random.default_rng(0)
        >>> schedule = Staged("quora", epochs=1, then=Sequential())
        >>> for epoch in range(2):
        ...     print(schedule.order(Epoch(batches={"sst": 2, "quora": 4}, number=epoch, rng=rng)))
        [1 1 1 1 1 1]
        [0 0 1 1 1 1]
    """

    first: str
    epochs: int = 1
    then: Schedule = RoundRobinShuffled()

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError(f"Staged: epochs is {self.epochs} (expected at least 1)")

    def num_steps(self, batches: Sequence[int]) -> int:
        """Count the steps of the later schedule."""
        return self.then.num_steps(batches)

    def window(self, num_tasks: int) -> int:
        """Return the later schedule's."""
        return self.then.window(num_tasks)

    def order(self, epoch: Epoch) -> np.ndarray:
        """Repeat the first task, or follow the later schedule."""
        if self.first not in epoch.batches:
            raise ValueError(f"Staged: first is {self.first!r} (expected one of the tasks: {', '.join(epoch.tasks)})")
        # Asked for in every epoch, so that what is wrong in it shows in the first one and not after hours.
        later = self.then.order(epoch)
        return np.full_like(later, epoch.tasks.index(self.first)) if epoch.number < self.epochs else later


def _each_batch_once(batches: Sequence[int] | np.ndarray) -> np.ndarray:
    return np.repeat(np.arange(len(batches)), batches)


def _steps_by_power(batches: Sequence[int], alpha: float) -> np.ndarray:
    """Divide sum(batches) steps in the proportion n^alpha, by largest remainder.

    With alpha in [0, 1] every share is at least 1 without further care: n^alpha >= 1 and sum(n^alpha) <= sum(n).
    """
    return divide(sum(batches), np.asarray(batches, dtype=np.float64) ** alpha)


def _check_fraction(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is {value} (expected a number in [0, 1])")
