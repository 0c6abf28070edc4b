"""A batch of one task, without padding."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from backbones import PackedTokens, StaticShape, pack
from datamodules.pairs import choose_swapped, lay_out, swap_sides, with_swapped
from datamodules.sampler import BatchRows
from datamodules.store import TokenStore


class TaskBatch(NamedTuple):
    """B examples of one task.

    Args:
        task: Name of the task.
        tokens: The tokens of B * S sequences end to end, example by example; then those of the swapped pairs where
            `orders` is 2.
        labels: Class indices (int64) or scores (float32), (B,), or sets of 0 and 1 (float32), (B, C); NaN or -1 where
            there is none.
        ids: Ids of the examples, [B].
        rows: Row numbers of the examples in their split, (B,).
        weight: Factor that makes the mean over the ranks the mean over the global batch (see BatchRows).
        orders: How often each example is there: 2 where a pair's output is the average over both orders.
        teacher: A teacher's probabilities (B, number of classes) or scores (B,); None without one.
        fullness: Rows of the global batch / the task's batch size (see BatchRows).
        labelled: Places of the examples that have a label, (labelled,); None where all of them have one, or none.
        label_weights: Weight of each label in the loss, in the shape of the labels; None where all count alike.
        shortcut: What the task's debiasing needs to know of each example, (B,) or (B, C); None where there is none.
    """

    task: str
    tokens: PackedTokens
    labels: Tensor
    ids: list[str]
    rows: Tensor
    weight: float = 1.0
    orders: int = 1
    teacher: Tensor | None = None
    fullness: float = 1.0
    labelled: Tensor | None = None
    label_weights: Tensor | None = None
    shortcut: Tensor | None = None

    def keep_labelled(self, values: Tensor) -> Tensor:
        """Return the values of the examples that have a label, (B, ...) to (labelled, ...)."""
        return values if self.labelled is None else values.index_select(0, self.labelled)


class TaskDataset(Dataset[TaskBatch]):
    """The stores of some tasks, indexed by what a sampler says comes next.

    Args:
        stores: One store a task.
        num_groups: Attention groups a batch (see `pack`).
        shapes: The shape that a task's batches are filled up to; none where a task has none.
        seed: Seed of the pairs that are swapped in training; None for evaluation (see `collate`).
    """

    def __init__(
        self,
        stores: dict[str, TokenStore],
        *,
        num_groups: int = 4,
        shapes: Mapping[str, StaticShape] | None = None,
        seed: int | None = None,
    ) -> None:
        self.stores = stores
        self.num_groups = num_groups
        self.shapes = shapes or {}
        self.seed = seed

    def __getitem__(self, index: BatchRows) -> TaskBatch:
        """Join the rows of one batch."""
        shape = self.shapes.get(index.task)
        return collate(self.stores[index.task], index, num_groups=self.num_groups, shape=shape, seed=self.seed)


def collate(
    store: TokenStore,
    index: BatchRows,
    *,
    num_groups: int = 4,
    shape: StaticShape | None = None,
    seed: int | None = None,
) -> TaskBatch:
    """Join rows of a store end to end.

    Args:
        store: One split of a task.
        index: The task's name and the rows, in batch order.
        num_groups: Attention groups (see `pack`).
        shape: The shape to fill the batch up to.
        seed: Given, a task with `swap` has half of its pairs swapped; None, one with `average_orders` has every pair in
            both orders.
    """
    rows, task = index.rows, store.task
    tokens, firsts = [store.tokens(int(row)) for row in rows], store.first_lengths[rows]
    orders = 2 if seed is None and task.average_orders else 1
    if seed is not None and task.swap:
        chosen = choose_swapped(rows, seed=seed, epoch=index.epoch, task=index.task)
        for place in np.flatnonzero(chosen):
            tokens[place], firsts[place] = swap_sides(tokens[place], int(firsts[place]), task.encoding, store.template)
    elif orders == 2:
        tokens, firsts = with_swapped(tokens, firsts, task.encoding, store.template)
    return TaskBatch(
        task=index.task,
        tokens=pack(*lay_out(tokens, firsts, task.encoding, store.template), num_groups=num_groups, shape=shape),
        labels=task.labels.as_tensor(store.labels[rows]),
        ids=[store.id(int(row)) for row in rows],
        rows=torch.from_numpy(rows.astype(np.int64)),
        weight=index.weight,
        orders=orders,
        teacher=None if store.teacher is None else torch.from_numpy(store.teacher[rows]),
        fullness=index.fullness,
        labelled=torch.from_numpy(np.flatnonzero(store.has_label[rows])) if store.has_gaps else None,
        label_weights=None if store.label_weights is None else torch.from_numpy(store.label_weights[rows]),
        shortcut=None if store.shortcut is None else torch.from_numpy(store.shortcut[rows]),
    )
