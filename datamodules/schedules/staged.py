"""One task alone first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from datamodules.schedules.passes import RoundRobinShuffled
from datamodules.schedules.schedule import Epoch, Schedule


@dataclass(frozen=True)
class Staged(Schedule):
    """One task alone for the first epochs, then another schedule.

    Every epoch has the steps of `then`; the first task cycles through its rows to fill them. `then` counts epochs from
    the start of the training, so stages nest: Staged("quora", 1, then=Staged("sts", 2)) is quora, sts, then mixed.

    Args:
        first: Name of the task that comes first, with those that share its rows.
        epochs: Number of epochs it has for itself.
        then: Schedule of the later epochs.

    Raises:
        ValueError: If epochs is less than 1, or (from order) if no task is called first.

    Source: Phang et al. 2018 (training on an intermediate task first), https://arxiv.org/abs/1811.01088

    Example:
        >>> from datamodules.schedules import Sequential
        >>> rng = np.random.default_rng(0)
        >>> schedule = Staged("quora", epochs=1, then=Sequential())
        >>> for epoch in range(2):
        ...     print(schedule.order(Epoch(batches={"sst": 2, "quora": 4}, number=epoch, rng=rng)))
        [1 1 1 1 1 1]
        [0 0 1 1 1 1]
    """

    first: str
    epochs: int = 1
    then: Schedule = RoundRobinShuffled()  # noqa: RUF009 (a frozen value)

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
        first = epoch.place_of(self.first)
        if first is None:
            raise ValueError(f"Staged: first is {self.first!r} (expected one of the tasks: {', '.join(epoch.tasks)})")
        # Asked for in every epoch, so that what is wrong in it shows in the first one and not after hours.
        later = self.then.order(epoch)
        return np.full_like(later, first) if epoch.number < self.epochs else later
