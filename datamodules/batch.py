"""A batch without padding: the examples of one task, or of several that share their rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from backbones import PackedTokens, StaticShape, pack
from datamodules.batch_rows import BatchRows, LabelledPart
from datamodules.pairs import choose_swapped, lay_out, swap_sides, with_swapped
from datamodules.store import TokenStore
from datamodules.streams import Streams, keep_present


class TaskBatch(NamedTuple):
    """B examples of one task: a batch by itself, or a part of a JointBatch.

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
        fullness: Rows of the global batch / the batch size (see BatchRows).
        labelled: Places of the examples that have a label, (labelled,); None where all of them have one, or none.
        label_weights: Weight of each label in the loss, in the shape of the labels; None where all count alike.
        shortcut: What the task's debiasing needs to know of each example, (B,) or (B, C); None where there is none.
        label_factor: Factor of the mean loss on the labels beside `weight`, where some lack one (see LabelledPart).
        any_labelled: Whether a row of the global batch has a label.
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
    label_factor: float = 1.0
    any_labelled: bool = True

    @property
    def stream(self) -> str:
        """Name of its stream: the task has its rows for itself."""
        return self.task

    @property
    def parts(self) -> "tuple[TaskBatch, ...]":
        """The batch of each task: this one."""
        return (self,)

    @property
    def num_labelled(self) -> int:
        """Examples that have a label; all where it is not known that some have none."""
        return len(self.rows) if self.labelled is None else len(self.labelled)

    def keep_labelled(self, values: Tensor) -> Tensor:
        """Return the values of the examples that have a label, (B, ...) to (labelled, ...)."""
        return values if self.labelled is None else values.index_select(0, self.labelled)


@dataclass  # not frozen: Lightning fills a copy where it changes the type of the numbers
class JointBatch:
    """B rows as examples of several tasks, which share the forward pass and the optimiser step.

    Args:
        stream: Name of their stream.
        parts: The batch of each task; parts of the same encoding have the tensors of their `tokens` in common.
        fullness: Rows of the global batch / the batch size (see BatchRows).
    """

    stream: str
    parts: tuple[TaskBatch, ...]
    fullness: float = 1.0

    @property
    def rows(self) -> Tensor:
        """Row numbers of the examples in their split, (B,)."""
        return self.parts[0].rows

    @property
    def ids(self) -> list[str]:
        """Ids of the examples, [B]."""
        return self.parts[0].ids

    @property
    def weight(self) -> float:
        """Factor that makes the mean over the ranks the mean over the global batch (see BatchRows)."""
        return self.parts[0].weight

    @property
    def orders(self) -> int:
        """How often each example is there."""
        return self.parts[0].orders

    def to(self, device: torch.device, **options: Any) -> "JointBatch":
        """Copy everything to a device, without waiting where the memory is pinned; tokens once."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self, device: Any = None) -> "JointBatch":
        """Copy everything to memory that the GPU reads by itself; a DataLoader asks for it."""
        return self._map(Tensor.pin_memory)

    def _map(self, change: Callable[[Tensor], Tensor]) -> "JointBatch":
        tokens = {id(part.tokens): map_tensors(part.tokens, change) for part in self.parts}
        parts = []
        for part in self.parts:
            others = {name: value for name, value in part._asdict().items() if name != "tokens"}
            changed = {name: map_tensors(value, change) for name, value in others.items()}
            parts.append(TaskBatch(tokens=tokens[id(part.tokens)], **changed))
        return JointBatch(self.stream, tuple(parts), self.fullness)


Batch = TaskBatch | JointBatch


def map_tensors(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Return nested (named) tuples with each of their tensors changed."""
    if isinstance(value, Tensor):
        return change(value)
    if not isinstance(value, tuple):
        return value
    changed = [map_tensors(part, change) for part in value]
    return type(value)(*changed) if hasattr(value, "_fields") else tuple(changed)


def passes(batch: Batch) -> list[list[TaskBatch]]:
    """Return the parts of a batch in groups that one forward pass serves: those with the same tokens."""
    groups: dict[int, list[TaskBatch]] = {}
    for part in batch.parts:
        groups.setdefault(id(part.tokens.input_ids), []).append(part)
    return list(groups.values())


def join(stream: str, parts: Sequence[TaskBatch], *, fullness: float) -> Batch:
    """Return the batch of a stream: that of its task where it has one alone."""
    return parts[0] if len(parts) == 1 else JointBatch(stream, tuple(parts), fullness)


class TaskDataset(Dataset[Batch]):
    """The stores of some tasks, indexed by what a sampler says comes next.

    Args:
        stores: One store a task.
        streams: Which tasks share their rows; None where none do.
        num_groups: Attention groups a batch (see `pack`).
        shapes: The shape that the batches of each task are filled up to; none where a task has none.
        seed: Seed of the pairs that are swapped in training; None for evaluation (see `collate`).
    """

    def __init__(
        self,
        stores: dict[str, TokenStore],
        *,
        streams: Streams | None = None,
        num_groups: int = 4,
        shapes: Mapping[str, StaticShape] | None = None,
        seed: int | None = None,
    ) -> None:
        self.stores = stores
        self.streams = keep_present({name: (name,) for name in stores} if streams is None else streams, stores)
        self.num_groups = num_groups
        self.shapes = shapes or {}
        self.seed = seed

    def __getitem__(self, index: BatchRows) -> Batch:
        """Join the rows of one batch."""
        return join(index.stream, list(self._collate(index)), fullness=index.fullness)

    def _collate(self, index: BatchRows) -> Iterator[TaskBatch]:
        tokens: dict[str, PackedTokens] = {}  # by encoding
        for number, name in enumerate(self.streams[index.stream]):
            store, shape = self.stores[name], self.shapes.get(name)
            encoding = store.task.encoding
            if encoding not in tokens:
                tokens[encoding] = pack_rows(store, index, num_groups=self.num_groups, shape=shape, seed=self.seed)
            part = index.labelled[number] if index.labelled else None
            yield take_part(store, index, name, tokens[encoding], seed=self.seed, labelled=part)


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
    tokens = pack_rows(store, index, num_groups=num_groups, shape=shape, seed=seed)
    return take_part(store, index, index.stream, tokens, seed=seed)


def pack_rows(
    store: TokenStore, index: BatchRows, *, num_groups: int, shape: StaticShape | None, seed: int | None
) -> PackedTokens:
    """Return the tokens of some rows end to end; the arguments are those of `collate`."""
    rows, task = index.rows, store.task
    tokens, firsts = [store.tokens(int(row)) for row in rows], store.first_lengths[rows]
    if seed is not None and task.swap:
        chosen = choose_swapped(rows, seed=seed, epoch=index.epoch, task=index.stream)
        for place in np.flatnonzero(chosen):
            tokens[place], firsts[place] = swap_sides(tokens[place], int(firsts[place]), task.encoding, store.template)
    elif count_orders(store, seed) == 2:
        tokens, firsts = with_swapped(tokens, firsts, task.encoding, store.template)
    return pack(*lay_out(tokens, firsts, task.encoding, store.template), num_groups=num_groups, shape=shape)


def count_orders(store: TokenStore, seed: int | None) -> int:
    """Return how often a batch has each example of a store; the arguments are those of `collate`."""
    return 2 if seed is None and store.task.average_orders else 1


def take_part(
    store: TokenStore,
    index: BatchRows,
    task: str,
    tokens: PackedTokens,
    *,
    seed: int | None,
    labelled: LabelledPart | None = None,
) -> TaskBatch:
    """Return what one task asks of some rows.

    Args:
        store: One split of the task.
        index: The rows.
        task: Name of the task.
        tokens: Their tokens.
        seed: As for `collate`.
        labelled: How the labelled rows count; None where all rows count alike.
    """
    rows = index.rows
    return TaskBatch(
        task=task,
        tokens=tokens,
        labels=store.task.labels.as_tensor(store.labels[rows]),
        ids=[store.id(int(row)) for row in rows],
        rows=torch.from_numpy(rows.astype(np.int64)),
        weight=index.weight,
        orders=count_orders(store, seed),
        teacher=None if store.teacher is None else torch.from_numpy(store.teacher[rows]),
        fullness=index.fullness,
        labelled=torch.from_numpy(np.flatnonzero(store.has_label[rows])) if store.has_gaps else None,
        label_weights=None if store.label_weights is None else torch.from_numpy(store.label_weights[rows]),
        shortcut=None if store.shortcut is None else torch.from_numpy(store.shortcut[rows]),
        label_factor=1.0 if labelled is None else labelled.factor,
        any_labelled=labelled is None or labelled.any_labelled,
    )
