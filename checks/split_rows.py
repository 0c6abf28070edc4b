"""The rows of a split as the checks need them: where each stands, its label, tokens, texts and fingerprints."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from checks.finding import SHOWN, Finding, Instance, Level, shorten
from checks.fingerprints import Keys, hash_words, join_keys, key_texts, min_hash
from checks.oddities import Oddities
from datamodules import TokenStore
from tasks import Example, Split, Task
from tasks.normalising import normalise

T = TypeVar("T")
CHUNK = 4096


@dataclass(frozen=True)
class SplitRows:
    """One split of a task. The texts lie in a file; in memory are about 120 bytes a row.

    Args:
        name: Name of the task.
        task: The task.
        split: Which split.
        store: Its tokens, as `fit` reads them.
        source: File or hub dataset, as a message begins.
        unit: What is counted there: line or row.
        numbers: Line or row of each example, (n,).
        keys: Key of each text, (n, S); see `fingerprints`.
        bands: MinHash bands of each example, (n, BANDS).
        texts: File with the texts.
        skipped: What was said of rows that are left out.
        oddities: Signs of damage in the texts.
    """

    name: str
    task: Task
    split: Split
    store: TokenStore
    source: str
    unit: str
    numbers: NDArray[np.int64]
    keys: Keys
    bands: Keys
    texts: "TextFile"
    skipped: Sequence[str]
    oddities: Oddities

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def labels(self) -> NDArray[np.float64]:
        """Class index, score or number of the set of labels of each example, NaN where there is none, (n,)."""
        return self.store.label_numbers

    @property
    def sides(self) -> int:
        """Texts an example (S)."""
        return int(self.keys.shape[1])

    def joined(self, *, ordered: bool) -> Keys:
        """Key of each example, (n,)."""
        return join_keys(self.keys, ordered=ordered)

    def where(self, row: int) -> str:
        """File and line (or row) of an example."""
        return f"{self.source}, {self.unit} {self.numbers[row]}"

    def label(self, row: int) -> str:
        """Label of an example as its file has it; empty without one."""
        label = self.store.labels[row]
        if np.isnan(label).any():
            return ""
        if self.task.labels.is_set:
            return self.task.format_label(label) or "none of them"
        return self.task.format_label(label) if self.task.labels.num_classes else f"{label:.15g}"

    def show(self, rows: Iterable[int], remarks: Iterable[str] = (), *, most: int = SHOWN) -> list[Instance]:
        """Return the first few of some rows, each with its label or another remark."""
        chosen = [int(row) for row in islice(rows, most)]
        said = list(islice(remarks, most)) or [f"label {self.label(row)}" if self.label(row) else "" for row in chosen]
        return [
            Instance(self.where(row), tuple(map(shorten, self.texts[row])), remark)
            for row, remark in zip(chosen, said, strict=True)
        ]

    def tell(
        self,
        chosen: NDArray[np.int64],
        *,
        check: str,
        level: Level,
        what: str,
        advice: str,
        remarks: Iterable[str] = (),
    ) -> Finding:
        """Return a finding about some of the rows, the first few of which it shows.

        Args:
            chosen: Their numbers.
            check: See Finding, like `level`, `what` and `advice`.
            level: Likewise.
            what: Likewise.
            advice: Likewise.
            remarks: What is said of each; without any, its label.
        """
        return Finding(
            check=check,
            level=level,
            task=self.name,
            split=self.split,
            count=len(chosen),
            total=len(self),
            what=what,
            advice=advice,
            examples=self.show(chosen, remarks),
        )


class TextFile:
    """Texts in a memory-mapped Arrow file, found by their row.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._batches = pa.ipc.open_file(pa.memory_map(str(path)))

    def __getitem__(self, row: int) -> tuple[str, ...]:
        batch = self._batches.get_batch(row // CHUNK)
        return tuple(str(column[row % CHUNK]) for column in batch.columns)

    def take(self, rows: NDArray[np.int64]) -> Iterator[tuple[str, ...]]:
        """Return the texts of some rows, which are in order."""
        for number in np.unique(rows // CHUNK).tolist():
            batch = self._batches.get_batch(number)
            inside = pa.array(rows[rows // CHUNK == number] % CHUNK)
            yield from zip(*(column.take(inside).to_pylist() for column in batch.columns), strict=True)


def read_split_rows(
    name: str, task: Task, split: Split, store: TokenStore, *, root: Path, folder: Path, special: Sequence[str]
) -> SplitRows:
    """Read a split.

    Args:
        name: Name of the task.
        task: The task.
        split: Which split.
        store: Its tokens.
        root: Folder that the task's relative paths start from.
        folder: Folder for the file with the texts.
        special: Tokens that mean something to the model.

    Raises:
        InputError: If a row is wrong.
    """
    skipped: list[str] = []
    oddities = Oddities(special)
    places: list[str] = []
    numbers, keys, bands = [], [], []
    sides = len(task.texts)
    path = folder / f"{name}-{split}.arrow"
    schema = pa.schema([(str(side), pa.string()) for side in range(sides)])
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        for chunk in _chunks(task.read_located(split, root, skipped.append)):
            examples = [example for _, example in chunk]
            places = places or [where for where, _ in chunk[:1]]
            numbers.append(np.array([int(where.rpartition(" ")[2]) for where, _ in chunk]))
            normalised = [normalise(text) for example in examples for text in example.texts]
            keys.append(key_texts(normalised).reshape(-1, sides))
            bands.append(min_hash([hash_words(text) for text in normalised], sides))
            oddities.count([example.texts for example in examples])
            writer.write_batch(_record_batch(examples, schema))
    source, _, place = places[0].rpartition(", ")
    return SplitRows(
        name,
        task,
        split,
        store,
        source,
        place.rpartition(" ")[0],
        np.concatenate(numbers),
        np.concatenate(keys),
        np.concatenate(bands),
        TextFile(path),
        skipped,
        oddities,
    )


def _record_batch(examples: Sequence[Example], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*(example.texts for example in examples), strict=True)
    return pa.record_batch([pa.array(column, pa.string()) for column in columns], schema=schema)


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(items)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk
