"""The sampler: joins a schedule with shuffled rows into one global order, of which each rank takes its part."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from zlib import crc32

import numpy as np
from torch.utils.data import Sampler

from datamodules.row_orders import RowOrder
from datamodules.schedules import Epoch, Schedule
from datamodules.shares import redistribute


class BatchRows(NamedTuple):
    """Which rows of which task make a batch on this rank.

    Args:
        task: Name of the task.
        rows: Row numbers of this rank, (B,) int64.
        weight: Own rows · world size / rows of the global batch. The mean loss times it, averaged over the ranks, is
            the mean over the global batch. It is 0 where the global batch has fewer rows than there are ranks and none
            is left for this one, which gets a row all the same: every rank has to make the step.
        epoch: Number of the epoch.
        fullness: Rows of the global batch / the task's batch size: less than 1 for a task's last batch.
    """

    task: str
    rows: np.ndarray
    weight: float = 1.0
    epoch: int = 0
    fullness: float = 1.0


class MultitaskSampler(Sampler[BatchRows]):
    """Batches of one task each, in an order that is a function of (seed, epoch) alone, and of shares if there are some.

    For `DataLoader(dataset, sampler=sampler, batch_size=None)`: Lightning calls `set_epoch` on `dataloader.sampler`,
    but not on a batch sampler. A task's last batch may be smaller. A task that the schedule calls again after its last
    batch starts another pass, newly shuffled. Each task is shuffled by its name, so that adding one leaves the rows of
    the others as they are.

    Args:
        sizes: Number of rows of each task.
        batch_sizes: Rows of a batch of each task, over all ranks together.
        schedule: Which task comes at each step.
        orders: Which rows a pass over a task takes, where it is not each of them once; `sizes` counts those.
        seed: Seed of every order; at least 0.
        max_epochs: Epochs of the whole training, for the schedules that need it; None or -1 if it has no end.
        rank: Number of this process, from 0.
        world_size: Number of processes.

    Raises:
        ValueError: If there is no task, sizes and batch_sizes name different ones, a task has no rows, a batch size is
            less than 1, rank is not in [0, world_size), or the schedule does not fit the tasks or max_epochs.

    Example:
        >>> from datamodules.schedules import RoundRobin
        >>> sampler = MultitaskSampler({"sst": 3, "quora": 4}, {"sst": 2, "quora": 2}, RoundRobin(), seed=0)
        >>> [(batch.task, len(batch.rows)) for batch in sampler]
        [('sst', 2), ('quora', 2), ('sst', 1), ('quora', 2)]
    """

    def __init__(
        self,
        sizes: Mapping[str, int],
        batch_sizes: Mapping[str, int],
        schedule: Schedule,
        *,
        orders: Mapping[str, RowOrder] | None = None,
        seed: int,
        max_epochs: int | None = None,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        _check(sizes, batch_sizes, rank, world_size)
        self._tasks = list(sizes)
        self._sizes = [sizes[task] for task in self._tasks]
        self._batch_sizes = [batch_sizes[task] for task in self._tasks]
        self._batches = [-(-sizes[task] // batch_sizes[task]) for task in self._tasks]  # rounded up
        self._schedule = schedule
        self._orders = orders or {}
        self._seed = seed
        self._max_epochs = max_epochs
        self._rank = rank
        self._world_size = world_size
        self._epoch = 0
        self._shares = [1.0] * len(self._tasks)
        self._resumed: tuple[int, int] | None = None
        self._order(0)  # A schedule that does not fit fails here, not inside the training loop.

    def __len__(self) -> int:
        """Count the steps of a full epoch, also after resume."""
        return self._schedule.num_steps(self._batches)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next iterations.

        A position given to resume stays, unless it lies in an earlier epoch: the trainer has left that one behind (with
        limit_train_batches an epoch ends before the sampler's last batch).
        """
        self._epoch = epoch
        if self._resumed is not None and self._resumed[0] < epoch:
            self._resumed = None

    def resume(self, epoch: int, batch: int) -> None:
        """Start the next iteration, and only that one, at this position.

        Args:
            epoch: Number of the epoch, from 0.
            batch: Number of its batches that are done. All of them means the start of the next epoch: after an empty
                iteration Lightning would skip that epoch.

        Raises:
            ValueError: If epoch or batch is negative.
        """
        if epoch < 0 or batch < 0:
            raise ValueError(f"resume: epoch {epoch}, batch {batch} (expected both to be at least 0)")
        self._resumed = (epoch, batch) if batch < len(self) else (epoch + 1, 0)

    def set_shares(self, shares: Mapping[str, float]) -> None:
        """Give tasks a share of the steps that the schedule gives them, from the next iteration on.

        Args:
            shares: Share of each task by name, more than 0; 1 for a task that is not named.
        """
        self._shares = [shares.get(task, 1.0) for task in self._tasks]

    def plan(self, epoch: int) -> list[str]:
        """Name the task of each step of an epoch."""
        return [self._tasks[task] for task in self._order(epoch)]

    def first_pass(self) -> dict[str, list[BatchRows]]:
        """Return the batches of this rank in the first pass over each task's rows, whatever the schedule says."""
        return {name: list(self._pass(number, 0, 0)) for number, name in enumerate(self._tasks)}

    def _pass(self, task: int, epoch: int, pass_number: int) -> Iterator[BatchRows]:
        """Yield the batches of one pass over a task's rows."""
        order = self._permutation(task, epoch, pass_number)
        for first_row in range(0, len(order), self._batch_sizes[task]):
            yield self._share(task, order[first_row : first_row + self._batch_sizes[task]], epoch)

    def __iter__(self) -> Iterator[BatchRows]:
        """Yield the batches of this rank.

        A generator: the position is taken when the first batch is drawn, since Lightning calls set_epoch only after
        `iter()`.
        """
        (epoch, start), self._resumed = self._resumed or (self._epoch, 0), None
        order = self._order(epoch)
        drawn = np.bincount(order[:start], minlength=len(self._tasks))  # batches of each task so far
        permutations: dict[int, np.ndarray] = {}
        for task in map(int, order[start:]):
            pass_number, batch = divmod(int(drawn[task]), self._batches[task])
            if batch == 0 or task not in permutations:
                permutations[task] = self._permutation(task, epoch, pass_number)
            first_row = batch * self._batch_sizes[task]
            yield self._share(task, permutations[task][first_row : first_row + self._batch_sizes[task]], epoch)
            drawn[task] += 1

    def _order(self, epoch: int) -> np.ndarray:
        """Return the index of the task at each step, (num_steps,)."""
        rng = np.random.default_rng([self._seed, epoch, crc32(b"schedule")])
        batches = dict(zip(self._tasks, self._batches, strict=True))
        order = self._schedule.order(Epoch(batches=batches, number=epoch, max_epochs=self._max_epochs, rng=rng))
        if len(order) != len(self):
            raise ValueError(f"{self._schedule}: {len(order)} steps in epoch {epoch} (expected num_steps, {len(self)})")
        return redistribute(order, self._shares, np.random.default_rng([self._seed, epoch, crc32(b"shares")]))

    def _permutation(self, task: int, epoch: int, pass_number: int) -> np.ndarray:
        rng = np.random.default_rng([self._seed, epoch, pass_number, crc32(self._tasks[task].encode())])
        order = self._orders.get(self._tasks[task])
        return rng.permutation(self._sizes[task]) if order is None else order.draw(rng)

    def _share(self, task: int, rows: np.ndarray, epoch: int) -> BatchRows:
        """Take this rank's part of the rows of a global batch."""
        own = rows[self._rank :: self._world_size].copy()  # a view would keep the whole permutation alive
        weight = len(own) * self._world_size / len(rows)
        fullness = len(rows) / self._batch_sizes[task]
        return BatchRows(self._tasks[task], own if weight else rows[:1].copy(), weight, epoch, fullness)


def _check(sizes: Mapping[str, int], batch_sizes: Mapping[str, int], rank: int, world_size: int) -> None:
    if not sizes or sizes.keys() != batch_sizes.keys():
        raise ValueError(f"sizes of {list(sizes)}, batch sizes of {list(batch_sizes)} (expected the same tasks)")
    for task, size in sizes.items():
        if size < 1:
            raise ValueError(f"task {task!r}: {size} rows (expected at least 1)")
        if batch_sizes[task] < 1:
            raise ValueError(f"task {task!r}: batch size {batch_sizes[task]} (expected at least 1)")
    if not 0 <= rank < world_size:
        raise ValueError(f"rank {rank} of {world_size} (expected 0 <= rank < world size)")
