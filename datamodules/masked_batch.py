"""Masked batches of several token files."""

from collections.abc import Mapping
from typing import NamedTuple
from zlib import crc32

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from backbones import PackedTokens, QueryRows, pack
from backbones.attention_groups import IntArray, group_by_length, plan_queries
from datamodules.batch_rows import BatchRows
from datamodules.masking import TokenMasker
from datamodules.pairs import segment_ids
from datamodules.store import TokenFile

TASK = "mlm"  # the name of masked language modelling in logs


class MaskedLMBatch(NamedTuple):
    """N packed sequences with masked tokens.

    Args:
        tokens: The sequences after masking.
        wanted: The tokens to guess, R of them.
        targets: Their true ids, (R,).
        rows: Row numbers, (N,).
        task: Name of the task in logs.
    """

    tokens: PackedTokens
    wanted: QueryRows
    targets: Tensor
    rows: Tensor
    task: str = TASK

    @property
    def stream(self) -> str:
        """Name of the task: there is one alone."""
        return self.task


class MixedTexts:
    """The rows of several token files as one row of rows, some of them repeated or thinned out.

    Args:
        files: Token files by name.
        weights: How often each file's rows come in one epoch; 1 where a name is missing. Of a file with a weight
            below 1 each epoch takes the next part of its rows in a fixed random order: files are often sorted.
        seed: Seed of that order, which depends on the file's name too.
    """

    def __init__(self, files: Mapping[str, TokenFile], weights: Mapping[str, float], *, seed: int = 0) -> None:
        self.files = list(files.values())
        self._orders = [
            np.random.default_rng([seed, crc32(name.encode())]).permutation(len(file)) if name in weights else None
            for name, file in files.items()
        ]
        sizes = [max(1, round(len(file) * weights.get(name, 1.0))) for name, file in files.items()]
        self._starts = np.concatenate([[0], np.cumsum(sizes)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def place(self, row: int, epoch: int) -> tuple[TokenFile, int]:
        """Find the file and the row in it that a mixed row means in an epoch."""
        number = int(np.searchsorted(self._starts, row, side="right")) - 1
        size = int(self._starts[number + 1] - self._starts[number])
        file, order = self.files[number], self._orders[number]
        inner = (row - int(self._starts[number]) + epoch * size) % len(file)
        return file, inner if order is None else int(order[inner])

    @property
    def lengths(self) -> IntArray:
        """Tokens of each row where no weights are given, (rows,)."""
        return np.concatenate([file.lengths for file in self.files])


class MaskedTexts(Dataset[MaskedLMBatch]):
    """Masked batches of mixed rows.

    Args:
        texts: The rows.
        masker: Masks them.
        masks_change: Whether every epoch masks anew; validation keeps the masks of epoch 0.
    """

    def __init__(self, texts: MixedTexts, masker: TokenMasker, *, masks_change: bool) -> None:
        self.texts = texts
        self.masker = masker
        self.masks_change = masks_change

    def __getitem__(self, index: BatchRows) -> MaskedLMBatch:
        """Mask and pack the rows of one batch."""
        epoch = index.epoch if self.masks_change else 0
        places = [self.texts.place(int(row), epoch) for row in index.rows]
        parts = [file.tokens(row) for file, row in places]
        firsts = np.array([file.first_lengths[row] for file, row in places])
        lengths = np.array([part.size for part in parts])
        input_ids = np.concatenate(parts).astype(np.int64)
        types = segment_ids(lengths, firsts, self.texts.files[0].template)
        continues = np.concatenate([file.continues(row) for file, row in places])
        masked, chosen = self.masker.mask(input_ids, lengths, index.rows, continues=continues, epoch=epoch)
        chosen &= index.weight > 0  # a row of weight 0 is there only so that this rank makes the step
        tokens = pack(masked, types, lengths)
        wanted = np.flatnonzero(chosen)
        counts = np.add.reduceat(chosen.astype(np.int64), tokens.cu_seqlens[:-1].numpy())
        return MaskedLMBatch(
            tokens=tokens,
            wanted=plan_queries(wanted, counts, group_by_length(lengths, len(tokens.groups))),
            targets=torch.from_numpy(input_ids[wanted]),
            rows=torch.from_numpy(index.rows.astype(np.int64)),
        )
