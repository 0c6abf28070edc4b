"""The sampler: joins a schedule with shuffled rows into one global order, of which each rank takes its part."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from datamodules.batch_rows import BatchRows, count_labelled
from datamodules.row_orders import RowOrder
from datamodules.schedules import Epoch, Schedule
from datamodules.shares import redistribute

GlobalRows = tuple[int, np.ndarray]  # number of a stream, and rows of all ranks


class MultitaskSampler(Sampler[BatchRows]):
    """Batches of one stream each, in an order that depends on (seed, epoch) alone, and on shares if there are some.

    Of streams it knows the name; a task whose rows no other task has is a stream of that name.

    For `DataLoader(dataset, sampler=sampler, batch_size=None)`: Lightning calls `set_epoch` on `dataloader.sampler`,
    but not on a batch sampler. A stream's last batch may be smaller. One that the schedule calls again after its last
    batch starts another pass, newly shuffled. Each is shuffled by its name, so that adding one leaves the rows of the
    others as they are.

    Args:
        sizes: Number of rows of each stream.
        batch_sizes: Rows of a batch of each stream, over all ranks together.
        schedule: Which stream comes at each step.
        orders: Which rows a pass over a stream takes, where it is not each of them once; `sizes` counts those.
        labelled: Whether each row has a label, (rows,), for each task of the streams where some rows lack one.
        window: Batches of an optimiser step, over which the means of such streams are taken.
        seed: Seed of every order; at least 0.
        max_epochs: Epochs of the whole training, for the schedules that need it; None or -1 if it has no end.
        rank: Number of this process, from 0.
        world_size: Number of processes.

    Raises:
        ValueError: If there is no stream, sizes and batch_sizes name different ones, one has no rows, a batch size is
            less than 1, rank is not in [0, world_size), or the schedule does not fit the tasks or max_epochs.

    Example:
        >>> from datamodules.schedules import RoundRobin
        >>> sampler = MultitaskSampler({"sst": 3, "quora": 4}, {"sst": 2, "quora": 2}, RoundRobin(), seed=0)
        >>> [(batch.stream, len(batch.rows)) for batch in sampler]
        [('sst', 2), ('quora', 2), ('sst', 1), ('quora', 2)]
    """

    def __init__(
        self,
        sizes: Mapping[str, int],
        batch_sizes: Mapping[str, int],
        schedule: Schedule,
        *,
        orders: Mapping[str, RowOrder] | None = None,
        labelled: Mapping[str, Sequence[NDArray[np.bool_]]] | None = None,
        window: int = 1,
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
        self._labelled = labelled or {}
        self._window = window if self._labelled else 1
        self._num_batches: int | None = None
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

    def limit(self, num_batches: int) -> None:
        """Take note of how many batches of an epoch are trained on: the last optimiser step may be cut short there."""
        self._num_batches = num_batches

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
        """Yield the batches of one pass over a stream's rows, each as an optimiser step of its own."""
        order = self._permutation(task, epoch, pass_number)
        for first_row in range(0, len(order), self._batch_sizes[task]):
            yield from self._share([(task, order[first_row : first_row + self._batch_sizes[task]])], epoch)

    def __iter__(self) -> Iterator[BatchRows]:
        """Yield the batches of this rank.

        A generator: the position is taken when the first batch is drawn, since Lightning calls set_epoch only after
        `iter()`.
        """
        (epoch, start), self._resumed = self._resumed or (self._epoch, 0), None
        skipped, window = start % self._window, list[GlobalRows]()  # of the optimiser step that is gone on with
        for number, rows in enumerate(self._walk(epoch, start - skipped), start=start - skipped + 1):
            window.append(rows)
            if number % self._window == 0 or number == self._num_batches:
                yield from islice(self._share(window, epoch), skipped, None)
                skipped, window = 0, []
        yield from islice(self._share(window, epoch), skipped, None)

    def _walk(self, epoch: int, start: int) -> Iterator[GlobalRows]:
        """Yield stream and rows of each batch of all ranks, from the batch `start` on."""
        order = self._order(epoch)
        drawn = np.bincount(order[:start], minlength=len(self._tasks))  # batches of each task so far
        permutations: dict[int, np.ndarray] = {}
        for task in map(int, order[start:]):
            pass_number, batch = divmod(int(drawn[task]), self._batches[task])
            if batch == 0 or task not in permutations:
                permutations[task] = self._permutation(task, epoch, pass_number)
            first_row = batch * self._batch_sizes[task]
            yield task, permutations[task][first_row : first_row + self._batch_sizes[task]]
            drawn[task] += 1

    def _order(self, epoch: int) -> np.ndarray:
        """Return the index of the task at each step, (num_steps,)."""
        rng = np.random.default_rng([self._seed, epoch, crc32(b"schedule")])
        batches = dict(zip(self._tasks, self._batches, strict=True))
        order = self._schedule.order(Epoch(batches=batches, number=epoch, max_epochs=self._max_epochs, rng=rng))
        if len(order) != len(self):
            raise ValueError(f"{self._schedule}: {len(order)} steps in epoch {epoch} (expected num_steps, {len(self)})")
        order = np.asarray(order)
        if order.dtype.kind not in "iu" or not set(order.tolist()) <= set(range(len(self._tasks))):
            found = ", ".join(map(str, list(dict.fromkeys(order.tolist()))[:5]))
            raise ValueError(
                f"{self._schedule}: the order of epoch {epoch} has {found} of type {order.dtype} "
                f"(expected places of tasks, integers from 0 to {len(self._tasks) - 1})"
            )
        return redistribute(order, self._shares, np.random.default_rng([self._seed, epoch, crc32(b"shares")]))

    def _permutation(self, task: int, epoch: int, pass_number: int) -> np.ndarray:
        rng = np.random.default_rng([self._seed, epoch, pass_number, crc32(self._tasks[task].encode())])
        order = self._orders.get(self._tasks[task])
        return rng.permutation(self._sizes[task]) if order is None else order.draw(rng)

    def _share(self, window: Sequence[GlobalRows], epoch: int) -> Iterator[BatchRows]:
        """Take this rank's part of the rows of each global batch of an optimiser step."""
        for task, rows in window:
            own = rows[self._rank :: self._world_size].copy()  # a view would keep the whole permutation alive
            weight = len(own) * self._world_size / len(rows)
            fullness = len(rows) / self._batch_sizes[task]
            stream_rows = [others for other, others in window if other == task]
            parts = tuple(
                count_labelled(has_label, rows, own, stream_rows)
                for has_label in self._labelled.get(self._tasks[task], ())
            )
            yield BatchRows(self._tasks[task], own if weight else rows[:1].copy(), weight, epoch, fullness, parts)


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
