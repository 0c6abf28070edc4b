"""The tokens of a split, memory-mapped."""

import json
import math
import mmap
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from datamodules.pairs import BERT, PairTemplate, sequence_lengths
from tasks import Task

SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "label": pa.float64(),
        "input_ids": pa.list_(pa.int32()),
        "first_length": pa.int32(),
    }
)
SET_SCHEMA = SCHEMA.set(SCHEMA.get_field_index("label"), pa.field("label", pa.list_(pa.int32())))  # numbers of labels
WORDS_SCHEMA = SCHEMA.append(pa.field("continues", pa.list_(pa.int8())))  # 1 for a token that goes on with a word
LABELS = {False: SCHEMA.field("label"), True: SET_SCHEMA.field("label")}  # by whether they are sets
READ_AHEAD_BELOW = 2**30  # bytes


def joint_schema(are_sets: Sequence[bool]) -> pa.Schema:
    """Return the columns of a file of several tasks, which has the column `label_<number>` for each.

    Args:
        are_sets: Whether the labels of each task are sets.
    """
    fields = [field for field in SCHEMA if field.name != "label"]
    labels = [LABELS[is_set].with_name(f"label_{number}") for number, is_set in enumerate(are_sets)]
    return pa.schema([fields[0], *labels, *fields[1:]])


class TokenFile:
    """Tokenised texts: columns of an Arrow file as memory-mapped NumPy views, chunk by chunk.

    Args:
        path: The Arrow file.
        source: Path (or hub name) and SHA-256 of what it was read from.
        template: The special tokens of its pairs.
    """

    def __init__(self, path: Path, *, source: Mapping[str, str], template: PairTemplate = BERT) -> None:
        self.path = path
        self.source = source
        self.template = template
        self.notes = _read_notes(path.with_suffix(".json"))
        self._open()

    @property
    def key(self) -> str:
        """Name of the cached file: a digest of the source and of all that decides how its texts are read."""
        return self.path.stem

    def _open(self) -> None:
        reader = pa.ipc.open_file(_map(self.path))
        self._check(reader.schema)
        self._batches = [reader.get_batch(i) for i in range(reader.num_record_batches)]
        sizes = [batch.num_rows for batch in self._batches]
        self._chunk_starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        lists = [batch.column("input_ids") for batch in self._batches]
        self._tokens = [_view(column.values) for column in lists]
        self._offsets = [_view(column.offsets) for column in lists]

    def _check(self, schema: pa.Schema) -> None:
        if not any(schema.equals(known) for known in (SCHEMA, SET_SCHEMA, WORDS_SCHEMA)):
            raise ValueError(f"{self.path}: holds {schema.names} (expected {SCHEMA.names})")

    def __getstate__(self) -> dict[str, Any]:
        """Leave the mapped views behind: a worker process maps the file again."""
        mapped = ("_batches", "_chunk_starts", "_tokens", "_offsets")
        return {name: value for name, value in self.__dict__.items() if name not in mapped}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()

    def __len__(self) -> int:
        return int(self._chunk_starts[-1])

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each example, (rows,)."""
        return np.concatenate([np.diff(offsets) for offsets in self._offsets] or [np.empty(0)]).astype(np.int64)

    @cached_property
    def first_lengths(self) -> NDArray[np.int64]:
        """Tokens of the first part of each example, (rows,)."""
        return self._column("first_length").astype(np.int64)

    def _column(self, name: str) -> NDArray[Any]:
        arrays = [_view(batch.column(name)) for batch in self._batches]
        return np.concatenate(arrays) if arrays else np.empty(0)

    def tokens(self, row: int) -> NDArray[np.int32]:
        """Token ids of an example's sequences, one after the other."""
        chunk, inner = self._place(row)
        start, stop = self._offsets[chunk][inner : inner + 2]
        view: NDArray[np.int32] = self._tokens[chunk][start:stop]
        return view

    def continues(self, row: int) -> NDArray[np.bool_]:
        """Whether each token of an example goes on with the word of the one before it; of files with words only."""
        chunk, inner = self._place(row)
        start, stop = self._offsets[chunk][inner : inner + 2]
        values: NDArray[np.int8] = _view(self._batches[chunk].column("continues").values)
        found: NDArray[np.bool_] = values[start:stop] == 1
        return found

    def all_tokens(self) -> NDArray[np.int32]:
        """Return the token ids of all examples end to end, (sum of lengths,)."""
        parts = [values[o[0] : o[-1]] for values, o in zip(self._tokens, self._offsets, strict=True)]
        return np.concatenate([np.empty(0, dtype=np.int32), *parts])

    def chunks(self) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int64]]]:
        """Return the token ids of a few thousand examples at a time, end to end, with the start of each, then T."""
        for values, offsets in zip(self._tokens, self._offsets, strict=True):
            yield values[offsets[0] : offsets[-1]], (offsets - offsets[0]).astype(np.int64)

    def id(self, row: int) -> str:
        """Id of an example."""
        chunk, inner = self._place(row)
        return str(self._batches[chunk].column("id")[inner])

    def all_ids(self) -> list[str]:
        """Ids of all examples, [rows]."""
        return [name for batch in self._batches for name in batch.column("id").to_pylist()]

    def _place(self, row: int) -> tuple[int, int]:
        chunk = int(np.searchsorted(self._chunk_starts, row, side="right")) - 1
        return chunk, row - int(self._chunk_starts[chunk])


def _read_notes(path: Path) -> list[str]:
    found = json.loads(path.read_text(encoding="utf-8"))
    notes = found.get("notes") if isinstance(found, dict) else None
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise ValueError(f"{path}: holds no notes (expected {{'notes': [...]}})")
    return notes


def _view(values: pa.Array) -> NDArray[Any]:
    """Return the numbers of an array, not copied, or a copy with NaN for gaps.

    By DLPack, since pyarrow's `to_numpy` imports pandas, which takes a third of a second.
    """
    view: NDArray[Any] = np.from_dlpack(values.fill_null(math.nan) if values.null_count else values)
    return view


def _map(path: Path) -> pa.Buffer:
    """Map a file into memory; a large one, which may not fit, is read page by page, since its rows come in any order.

    Reading ahead, the system's habit, reads 128 KB for a row of 200 bytes: 6 ms a row where a 1.5 GB file met 0.5 GB of
    memory, against 0.1 ms. A file that fits is there sooner with it.
    """
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if len(mapped) >= READ_AHEAD_BELOW and hasattr(mmap, "MADV_RANDOM"):
        mapped.madvise(mmap.MADV_RANDOM)
    return pa.py_buffer(mapped)


class TokenStore(TokenFile):
    """One split of a task, tokenised.

    Args:
        path: The Arrow file.
        task: The task it was read for.
        source: Path (or hub name) and SHA-256 of what it was read from.
        template: The special tokens of its pairs.
        teacher: Probabilities (rows, C) or scores (rows,) to learn from beside the labels.
        label_column: The task's column in a file of several tasks (see `joint_schema`).

    Attributes:
        label_weights: Weight of each label in the loss, (rows,), or (rows, C) of sets; None where all count alike.
        shortcut: What the task's debiasing needs to know of each row, (rows,) or (rows, C); None where there is none.
        chosen_rows: Numbers of the examples to train on, ascending; None for all.
    """

    def __init__(
        self,
        path: Path,
        *,
        task: Task,
        source: Mapping[str, str],
        template: PairTemplate = BERT,
        teacher: NDArray[np.float32] | None = None,
        label_column: str = "label",
    ) -> None:
        self.label_column = label_column
        super().__init__(path, source=source, template=template)
        self.task = task
        self.teacher = teacher
        self.label_weights: NDArray[np.float32] | None = None
        self.shortcut: NDArray[np.float32] | None = None
        self.chosen_rows: NDArray[np.int64] | None = None

    def _check(self, schema: pa.Schema) -> None:
        if self.label_column == "label":
            super()._check(schema)
        elif self.label_column not in schema.names:
            raise ValueError(f"{self.path}: holds {schema.names} (expected {self.label_column})")

    @cached_property
    def labels(self) -> NDArray[np.float64]:
        """Class index or score of each example, (rows,), or a row of zeros and ones, (rows, C); NaN for no label."""
        return self._read_sets() if self.task.labels.is_set else self._column(self.label_column).astype(np.float64)

    @cached_property
    def label_numbers(self) -> NDArray[np.float64]:
        """The labels as one number each, to tell whether two are equal; NaN where there is none, (rows,)."""
        if not self.task.labels.is_set:
            return self.labels
        weights = np.random.default_rng(0).random(self.task.labels.num_classes)  # sums of different ones differ
        numbers: NDArray[np.float64] = (self.labels * weights).sum(axis=1)
        return numbers

    def _read_sets(self) -> NDArray[np.float64]:
        sets = np.full((len(self), self.task.labels.num_classes), np.nan)
        for start, batch in zip(self._chunk_starts, self._batches, strict=False):
            column = batch.column(self.label_column)
            rows = np.arange(len(column)) + start
            sets[rows[column.is_valid().to_pylist()]] = 0
            offsets = _view(column.offsets)
            sets[np.repeat(rows, np.diff(offsets)), _view(column.values)[offsets[0] : offsets[-1]]] = 1
        return sets

    @cached_property
    def has_label(self) -> NDArray[np.bool_]:
        """Whether each example has a label, (rows,)."""
        missing: NDArray[np.bool_] = np.isnan(self.labels)
        if missing.ndim == 2:  # of a set
            missing = np.any(missing, axis=1)
        return ~missing

    @property
    def has_target(self) -> NDArray[np.bool_]:
        """Whether each example has something to learn from, a label or a teacher's prediction, (rows,)."""
        return self.has_label if self.teacher is None else np.ones(len(self), dtype=np.bool_)

    @cached_property
    def labelled_rows(self) -> NDArray[np.int64]:
        """Numbers of the examples that have a label, (labelled rows,)."""
        return np.flatnonzero(self.has_label)

    @property
    def train_rows(self) -> NDArray[np.int64]:
        """Numbers of the examples to train on: those that have a label, and were chosen where some were."""
        if self.chosen_rows is None:
            return self.labelled_rows
        return np.intersect1d(self.labelled_rows, self.chosen_rows)

    @property
    def train_labels(self) -> NDArray[np.float64]:
        """The labels of the examples to train on, NaN for all others, as `labels`."""
        labels = np.full_like(self.labels, np.nan)
        labels[self.train_rows] = self.labels[self.train_rows]
        return labels

    @property
    def has_gaps(self) -> bool:
        """Whether some examples have a label and others do not."""
        return 0 < len(self.labelled_rows) < len(self)

    def count(self) -> dict[str, int]:
        """Count its rows and, where some have no label or some were chosen, those that are trained on."""
        return {
            "rows": len(self),
            **({"labelled": len(self.labelled_rows)} if self.has_gaps else {}),
            **({"chosen": len(self.train_rows)} if self.chosen_rows is not None else {}),
        }

    @property
    def sequence_lengths(self) -> NDArray[np.int64]:
        """Tokens of each sequence of each example, (rows, S)."""
        return sequence_lengths(self.lengths, self.first_lengths, self.task.encoding, self.template)

    @property
    def is_labelled(self) -> bool:
        """Whether it can be scored: every example has a label, or some where the task ignores gaps."""
        return len(self.labelled_rows) > 0 and (self.task.ignores_gaps or not self.has_gaps)
