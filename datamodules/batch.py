"""A batch of one task, without padding."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from backbones import PackedTokens, StaticShape, pack
from datamodules.sampler import BatchRows
from datamodules.store import TokenStore


class TaskBatch(NamedTuple):
    """B examples of one task.

    Args:
        task: Name of the task.
        tokens: The tokens of B * S sequences end to end, example by example.
        labels: Class indices (int64) or scores (float32), (B,); NaN or -1 where there is none.
        ids: Ids of the examples, [B].
        rows: Row numbers of the examples in their split, (B,).
        weight: Factor that makes the mean over the ranks the mean over the global batch (see BatchRows).
    """

    task: str
    tokens: PackedTokens
    labels: Tensor
    ids: list[str]
    rows: Tensor
    weight: float = 1.0


class TaskDataset(Dataset[TaskBatch]):
    """The stores of some tasks, indexed by what a sampler says comes next.

    Args:
        stores: One store a task.
        num_groups: Attention groups a batch (see `pack`).
        shapes: The shape that a task's batches are filled up to; none where a task has none.
    """

    def __init__(
        self,
        stores: dict[str, TokenStore],
        *,
        num_groups: int = 4,
        shapes: Mapping[str, StaticShape] | None = None,
    ) -> None:
        self.stores = stores
        self.num_groups = num_groups
        self.shapes = shapes or {}

    def __getitem__(self, index: BatchRows) -> TaskBatch:
        """Join the rows of one batch."""
        shape = self.shapes.get(index.task)
        return collate(self.stores[index.task], index, num_groups=self.num_groups, shape=shape)


def collate(store: TokenStore, index: BatchRows, *, num_groups: int = 4, shape: StaticShape | None = None) -> TaskBatch:
    """Join rows of a store end to end.

    Args:
        store: One split of a task.
        index: The task's name and the rows, in batch order.
        num_groups: Attention groups (see `pack`).
        shape: The shape to fill the batch up to.
    """
    rows = index.rows
    task = store.task
    totals, firsts = store.lengths[rows], store.first_lengths[rows]
    input_ids = np.concatenate([store.tokens(int(row)) for row in rows])
    lengths = totals if task.num_sequences == 1 else np.stack([firsts, totals - firsts], axis=1).ravel()
    types = _segments(totals, firsts) if task.encoding == "cross" else np.zeros(input_ids.size, dtype=np.int64)
    labels = store.labels[rows]
    return TaskBatch(
        task=index.task,
        tokens=pack(input_ids.astype(np.int64), types, lengths, num_groups=num_groups, shape=shape),
        labels=label_tensor(labels, is_score=task.labels.kind == "score"),
        ids=[store.id(int(row)) for row in rows],
        rows=torch.from_numpy(rows.astype(np.int64)),
        weight=index.weight,
    )


def _segments(totals: NDArray[np.int64], firsts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Segment ids of cross-encoded pairs: 0 for `[CLS] a [SEP]`, 1 for `b [SEP]`."""
    counts = np.stack([firsts, totals - firsts], axis=1).ravel()
    return np.repeat(np.tile(np.array([0, 1]), totals.size), counts)


def label_tensor(labels: NDArray[np.float64], *, is_score: bool) -> Tensor:
    """Give labels as losses want them: scores in float32, classes in int64 with -1 where there is none."""
    if is_score:
        return torch.from_numpy(labels.astype(np.float32))
    return torch.from_numpy(np.nan_to_num(labels, nan=-1).astype(np.int64))
