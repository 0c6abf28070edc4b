"""Schedules whose shares follow a power of the tasks' sizes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from datamodules.schedules.schedule import Epoch, Schedule, each_batch_once
from datamodules.shares import divide


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
        return epoch.rng.permutation(each_batch_once(_steps_by_power(epoch.counts, self.alpha)))


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
        return epoch.rng.permutation(each_batch_once(_steps_by_power(epoch.counts, alpha)))


def _steps_by_power(batches: Sequence[int], alpha: float) -> np.ndarray:
    """Divide sum(batches) steps in the proportion n^alpha, by largest remainder.

    With alpha in [0, 1] every share is at least 1 without further care: n^alpha >= 1 and sum(n^alpha) <= sum(n).
    """
    return divide(sum(batches), np.asarray(batches, dtype=np.float64) ** alpha)


def _check_fraction(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is {value} (expected a number in [0, 1])")
