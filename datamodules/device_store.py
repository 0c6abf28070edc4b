"""A tokenised split on the device, where its batches are joined too."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset

from backbones import PackedTokens, QueryRows, StaticShape
from backbones.attention_groups import IntArray, plan_attention
from datamodules.batch import Batch, TaskBatch, TaskDataset, join
from datamodules.batch_rows import BatchRows, LabelledPart
from datamodules.store import TokenStore
from tasks import InputError


class DeviceDataset(Dataset[Batch]):
    """What TaskDataset is, with the tokens of all rows on the device.

    A batch costs one small copy from the host, its row numbers and lengths; everything else is computed on the device
    without waiting for it. The values are those of TaskDataset.

    Memory: 4 bytes a token and 16 bytes a row, 24 MB for 156,000 examples of 30 tokens. It stays for as long as the
    dataset.

    Args:
        dataset: The stores and how batches are laid out.
        device: Where the tokens go.

    Raises:
        InputError: If a task swaps pairs or has a teacher's files, which only the host knows.
    """

    def __init__(self, dataset: TaskDataset, device: torch.device) -> None:
        for name, store in dataset.stores.items():
            if store.task.swap or store.teacher is not None:
                raise InputError(f"task {name}: swap and files of a teacher do not go with data.on_device true")
        self._dataset = dataset
        self._device = device
        self._tokens: dict[Path, _DeviceTokens] = {}  # by the file, which tasks over the same rows share
        for store in dataset.stores.values():
            if store.path not in self._tokens:
                self._tokens[store.path] = _DeviceTokens(store, device)
        self._labels = {name: _DeviceLabels(store, device) for name, store in dataset.stores.items()}

    @property
    def num_bytes(self) -> int:
        """Memory on the device."""
        parts = [tensor for each in self._tokens.values() for tensor in (each.tokens, each.starts)]
        parts += [each.labels for each in self._labels.values()]
        return sum(tensor.numel() * tensor.element_size() for tensor in parts)

    def __getitem__(self, index: BatchRows) -> Batch:
        """Join the rows of one batch on the device."""
        return join(index.stream, list(self._join(index)), fullness=index.fullness)

    def _join(self, index: BatchRows) -> Iterator[TaskBatch]:
        dataset = self._dataset
        joined: dict[Path, tuple[Tensor, PackedTokens]] = {}
        for number, name in enumerate(dataset.streams[index.stream]):
            path = dataset.stores[name].path
            if path not in joined:
                shape = dataset.shapes.get(name)
                joined[path] = self._tokens[path].join(index.rows, num_groups=dataset.num_groups, shape=shape)
            part = index.labelled[number] if index.labelled else None
            yield self._labels[name].take(index, name, *joined[path], part)


class _DeviceLabels:
    """One store's labels."""

    def __init__(self, store: TokenStore, device: torch.device) -> None:
        self.store = store
        self.labels = store.task.labels.as_tensor(store.labels).to(device)
        weights = store.label_weights
        self.weights = None if weights is None else torch.from_numpy(weights).to(device)
        self.shortcut = None if store.shortcut is None else torch.from_numpy(store.shortcut).to(device)

    def take(
        self, index: BatchRows, task: str, rows: Tensor, tokens: PackedTokens, labelled: LabelledPart | None
    ) -> TaskBatch:
        """Return what the task asks of some rows.

        Args:
            index: The rows.
            task: Name of the task.
            rows: Row numbers on the device, (B,).
            tokens: Their tokens.
            labelled: How the labelled rows count; None where all rows count alike.
        """
        places = None if labelled is None else torch.from_numpy(np.flatnonzero(self.store.has_label[index.rows]))
        return TaskBatch(
            task=task,
            tokens=tokens,
            labels=self.labels.index_select(0, rows),
            ids=[self.store.id(int(row)) for row in index.rows],
            rows=rows,
            weight=index.weight,
            fullness=index.fullness,
            labelled=None if places is None else places.to(rows.device, non_blocking=True),
            label_weights=None if self.weights is None else self.weights.index_select(0, rows),
            shortcut=None if self.shortcut is None else self.shortcut.index_select(0, rows),
            label_factor=1.0 if labelled is None else labelled.factor,
            any_labelled=labelled is None or labelled.any_labelled,
        )


class _DeviceTokens:
    """One store's tokens, and where each row starts."""

    def __init__(self, store: TokenStore, device: torch.device) -> None:
        self.store = store
        self.device = device
        self.tokens = torch.from_numpy(store.all_tokens()).to(device)
        self.starts = torch.from_numpy(np.cumsum(store.lengths) - store.lengths).to(device)

    def join(self, rows: IntArray, *, num_groups: int, shape: StaticShape | None) -> tuple[Tensor, PackedTokens]:
        """Return the row numbers on the device, (B,), and their tokens end to end."""
        task, totals, firsts = self.store.task, self.store.lengths[rows], self.store.first_lengths[rows]
        if task.num_sequences == 1:
            lengths, inner = totals, np.zeros_like(totals)  # inner: where each sequence starts in its row
        else:
            lengths = np.stack([firsts, totals - firsts], axis=1).ravel()
            inner = np.stack([np.zeros_like(firsts), firsts], axis=1).ravel()
        filling = np.zeros(0, dtype=np.int64) if shape is None else shape.fill(lengths)
        segments = np.concatenate([firsts if task.encoding == "cross" else lengths, filling])
        host_lengths = np.concatenate([lengths, filling])
        own_rows, own_inner, own_segments, own_lengths = self._send([rows, inner, segments, host_lengths])
        row_starts = self.starts.index_select(0, own_rows)[:, None].expand(-1, task.num_sequences).reshape(-1)
        sources = F.pad(row_starts + own_inner, (0, filling.size))  # what only fills up reads from the first token on
        starts = F.pad(own_lengths.cumsum(0), (1, 0))
        return own_rows, PackedTokens(
            **self._lay_out(sources, own_segments, own_lengths, starts, (int(host_lengths.sum()), lengths.size)),
            **_plan(starts, host_lengths, num_groups),
            max_length=int(lengths.max()) if shape is None else min(shape.max_length, int(host_lengths.sum())),
            num_sequences=lengths.size,
            is_static=shape is not None,
        ).to(self.device)

    def _lay_out(
        self, sources: Tensor, segments: Tensor, lengths: Tensor, starts: Tensor, sizes: tuple[int, int]
    ) -> dict[str, Any]:
        """Return the tokens of all sequences and where each stands.

        Args:
            sources: Place of each sequence's first token in the store, (N,).
            segments: Position at which segment 1 begins, (N,).
            lengths: Tokens of each sequence, (N,).
            starts: Start of each sequence, then T, (N+1,).
            sizes: T, and the number of real sequences, as the host knows them.
        """
        num_tokens, num_real = sizes
        numbers = torch.arange(lengths.numel(), device=self.device)
        sequence_ids = numbers.repeat_interleave(lengths, output_size=num_tokens)
        positions = torch.arange(num_tokens, device=self.device) - starts.index_select(0, sequence_ids)
        places = (sources.index_select(0, sequence_ids) + positions).clamp_(max=self.tokens.numel() - 1)
        return {
            "input_ids": self.tokens.index_select(0, places).long() * (sequence_ids < num_real),
            "token_type_ids": (positions >= segments.index_select(0, sequence_ids)).long()
            * self.store.template.second_segment,
            "position_ids": positions,
            "cu_seqlens": starts,
            "sequence_ids": sequence_ids,
        }

    def _send(self, arrays: list[IntArray]) -> tuple[Tensor, ...]:
        """Copy host arrays to the device in one piece."""
        joined = torch.from_numpy(np.concatenate(arrays).astype(np.int64))
        if self.device.type == "cuda":
            joined = joined.pin_memory()
        return torch.split(joined.to(self.device, non_blocking=True), [array.size for array in arrays])


def _plan(starts: Tensor, lengths: IntArray, num_groups: int) -> dict[str, Any]:
    """Return `groups`, `slots` and `firsts`: from the host where there are groups, else from the device."""
    if num_groups:
        names = ("groups", "slots", "firsts")
        plan = plan_attention(np.concatenate([[0], np.cumsum(lengths)]), num_groups)
        return dict(zip(names, plan, strict=True))
    each = torch.arange(lengths.size + 1, device=starts.device)
    firsts = QueryRows(rows=starts[:-1], groups=(), slots=starts[:0], cu_seqlens=each, max_length=1)
    return {"groups": (), "slots": starts[:0], "firsts": firsts}
