"""The order of evaluation: every row once, rows of similar length together."""

from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from datamodules.batch import TaskBatch, collate
from datamodules.batch_rows import BatchRows
from datamodules.store import TokenStore


class HasLengths(Protocol):
    """Rows of which the lengths are known."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each row, (rows,)."""


class EvaluationSampler(Sampler[BatchRows]):
    """Batches up to a number of tokens, each of one stream, sorted by length inside a stream.

    One batch of each comes first, then the others in a fixed mixed order, so that a limit on their number leaves a fair
    sample of all tasks. Ranks take every `world_size`-th batch; nothing is repeated or dropped. Each has one at
    least, since Lightning leaves out the whole evaluation of a process that has none while the others wait for it: too
    few batches are split, and where there are fewer rows than ranks the last ones get a row of weight 0, which counts
    for nothing.

    Args:
        stores: The rows of each stream (a task whose rows no other has is one), or one store a task.
        tokens_per_batch: Tokens of a batch at most; a longer example stands alone.
        rank: Number of this process.
        world_size: Number of processes.
    """

    def __init__(
        self, stores: Mapping[str, HasLengths], *, tokens_per_batch: int, rank: int = 0, world_size: int = 1
    ) -> None:
        rng = np.random.default_rng(0)
        first, rest = [], []
        for stream, store in stores.items():
            cuts = cut_by_tokens(store.lengths, tokens_per_batch)
            mixed = [BatchRows(stream, cuts[number], 1.0) for number in rng.permutation(len(cuts))]
            first += mixed[:1]
            rest += mixed[1:]
        batches = [*first, *(rest[number] for number in rng.permutation(len(rest)))]
        _split_largest(batches, world_size)
        self._batches = batches[rank::world_size] or [BatchRows(batches[0].stream, batches[0].rows[:1], 0.0)]

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[BatchRows]:
        return iter(self._batches)


def _split_largest(batches: list[BatchRows], count: int) -> None:
    """Halve the batches with the most rows until there are `count`, or each has one row."""
    while len(batches) < count:
        number = max(range(len(batches)), key=lambda number: len(batches[number].rows))
        stream, rows, *_ = batches[number]
        if len(rows) == 1:
            return
        batches[number] = BatchRows(stream, rows[: len(rows) // 2])
        batches.append(BatchRows(stream, rows[len(rows) // 2 :]))


def cut_store(name: str, store: TokenStore, tokens_per_batch: int) -> Iterator[TaskBatch]:
    """Yield batches with every row of a split once, in an order that depends on the split alone.

    Args:
        name: Name of its task.
        store: The split.
        tokens_per_batch: Tokens of a batch at most.
    """
    for rows in cut_by_tokens(store.lengths, tokens_per_batch):
        yield collate(store, BatchRows(name, rows))


def cut_by_tokens(lengths: np.ndarray, tokens_per_batch: int) -> list[np.ndarray]:
    """Sort rows by length and cut them into batches.

    Args:
        lengths: Tokens of each row, (rows,).
        tokens_per_batch: Tokens of a batch at most.

    Example:
        >>> [rows.tolist() for rows in cut_by_tokens(np.array([5, 2, 9, 3]), 10)]
        [[1, 3, 0], [2]]
    """
    order = np.argsort(lengths, kind="stable")
    batches, start, total = [], 0, 0
    for stop, length in enumerate(lengths[order]):
        if total + length > tokens_per_batch and stop > start:
            batches.append(order[start:stop])
            start, total = stop, 0
        total += int(length)
    return [*batches, order[start:]] if lengths.size else []
