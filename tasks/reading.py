"""From the rows of a source to examples: each row checked, its label parsed."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

from heads import Label
from runtime.errors import InputError
from tasks.cells import check_columns
from tasks.rows import Row
from tasks.source import Source, Split
from tasks.splitting import SplitKeys

SECRET_LABELS = ("-1", "-1.0")  # how GLUE marks the labels of a test split that it keeps to itself
SHOWN_LABELS = 8


class UnknownLabelError(InputError):
    """A label cell holds no label."""


@dataclass(frozen=True)
class Example:
    """One example of a task.

    Args:
        id: Unique within its split.
        texts: One sentence, or the two of a pair.
        label: Class index, score, or the numbers of several labels; None where there is none.
    """

    id: str
    texts: tuple[str, ...]
    label: Label | None

    @property
    def labels(self) -> tuple[Label | None, ...]:
        """The label as that of one task among several (see JointExample)."""
        return (self.label,)


@dataclass(frozen=True)
class JointExample:
    """One row as an example of several tasks.

    Args:
        id: Unique within its split.
        texts: One sentence, or the two of a pair.
        labels: Label for each task; None where there is none.
    """

    id: str
    texts: tuple[str, ...]
    labels: tuple[Label | None, ...]


@dataclass(frozen=True, kw_only=True)
class ExampleReader:
    """Reads the examples of a task; the settings are those of `Task`.

    Args:
        source: Where the rows lie.
        texts: Names of the text columns.
        label: What the label is called in messages.
        read_columns: Columns that it is read from.
        list_columns: Those of them whose cells may be lists.
        gaps: Label cells that say that a row has no label.
        id: Name of the id column; None to number the rows of the file from 0.
        delimiter: Character between the cells; None for the file's usual one.
        quotes: Whether quotes enclose cells.
        broken_rows: What to do with a row whose text or label is empty.
        read_cell: Returns the label cell of a row; empty where there is none.
        parse_label: Turns a label cell into a label; a ValueError says what was expected.
        empty_choices: The settings that give an empty label cell a meaning.
    """

    source: Source
    texts: tuple[str, ...]
    label: str
    read_columns: tuple[str, ...]
    list_columns: tuple[str, ...]
    gaps: frozenset[str]
    id: str | None
    delimiter: str | None
    quotes: bool
    broken_rows: Literal["error", "skip"]
    read_cell: Callable[[Row], str]
    parse_label: Callable[[str], Label]
    empty_choices: str

    def read(self, split: Split, root: Path, report: Callable[[str], None]) -> Iterator[tuple[str, Example]]:
        """Return the examples of a split in file order, checked, each behind the file and line (or row) it stands on.

        Args:
            split: Which split.
            root: Folder that relative paths start from.
            report: Called with a sentence for each row that is skipped.

        Raises:
            InputError: If the source or a row of it is wrong; the message names file, line, field and what was
                expected.
        """
        return ((where, example) for where, (example,) in read_together([self], split, root, report))

    def find_unlabelled(self, split: Split, root: Path) -> str | None:
        """Return file and line of the first row without a label; None if all have one."""
        for row in _read_rows([self], split, root, lambda note: None):
            cell = self.read_cell(row)
            if not cell or (cell in SECRET_LABELS and not self._is_label(cell)):
                return row.where
        return None

    def _is_label(self, cell: str) -> bool:
        try:
            self.parse_label(cell)
        except ValueError:
            return False
        return True

    def check_first(self, row: Row, split: Split) -> None:
        """Check that the columns are there, given the first row; a test split may lack those of the label.

        Raises:
            InputError: If one is missing or appears twice.
        """
        has_none = split == "test" and not any(column in row.fields for column in self.read_columns)
        labels = [] if has_none else self.read_columns
        check_columns(row, [*self.texts, *([self.id] if self.id else []), *labels])

    @property
    def keys(self) -> SplitKeys:
        """What decides how one file is split."""
        return SplitKeys(texts=self.texts, labels=self.read_columns, read_label=self._read_label)

    def _read_label(self, row: Row) -> object:
        cell = self.read_cell(row)
        try:
            return None if cell in self.gaps else self.parse_label(cell)
        except ValueError:
            return None

    def find_missing(self, row: Row, split: Split) -> tuple[str, str] | None:
        """Say what a row lacks, and which settings give that a meaning; None where it lacks nothing."""
        for column in self.texts:
            if not (row.fields.get(column) or "").strip():
                return f"{column} is empty (expected text)", ""
        cell = self.read_cell(row)
        if split != "test" and not cell and cell not in self.gaps:
            return f"{self.label} is empty (expected a label)", f"{self.empty_choices}, "
        return None

    def parse(self, row: Row, number: int, split: Split) -> Example:
        """Turn a row into an example.

        Args:
            row: The row.
            number: Its number in the file, the id where there is no column of ids.
            split: Which split.

        Raises:
            InputError: If its id is empty or its label is none.
        """
        texts = tuple(row.fields.get(column) or "" for column in self.texts)
        name = str(number) if self.id is None else (row.fields.get(self.id) or "").strip()
        if not name:
            raise InputError(f"{row.where}: {self.id} is empty (expected an id)")
        cell = self.read_cell(row)
        if cell in self.gaps or (split == "test" and not cell):
            return Example(name, texts, None)
        try:
            return Example(name, texts, self.parse_label(cell))
        except ValueError as error:
            if split == "test" and cell in SECRET_LABELS:
                return Example(name, texts, None)
            raise UnknownLabelError(f"{row.where}: {self.label} is {cell!r} (expected {error}") from None

    def count_unknown(self, rows: Iterable[Row], split: Split) -> str:
        """Say how many of the rows have a label cell that holds no label, and which; nothing of a single one."""
        found = Counter[str]()
        try:
            for row in rows:
                cell = self.read_cell(row)
                if cell and cell not in self.gaps and not self._is_label(cell):
                    found[cell] += 1
        except InputError:  # of a later row: to be told when the labels are right
            return ""
        if found.total() < 2:
            return ""
        shown = ", ".join(f"{cell!r} {count:,}" for cell, count in found.most_common(SHOWN_LABELS))
        more = f", ... ({len(found):,} different ones)" if len(found) > SHOWN_LABELS else ""
        return f"; {found.total():,} rows of the {split} split hold no such label: {shown}{more}"


def read_together(
    readers: Sequence[ExampleReader], split: Split, root: Path, report: Callable[[str], None]
) -> Iterator[tuple[str, tuple[Example, ...]]]:
    """Return each row of a split as an example of several tasks, behind the file and line (or row) it stands on.

    Args:
        readers: Of tasks over the same rows, which differ in what they read of the label alone.
        split: Which split.
        root: Folder that relative paths start from.
        report: Called with a sentence for each row that is skipped.

    Raises:
        InputError: As for `ExampleReader.read`.
    """
    skips = readers[0].broken_rows == "skip"
    seen: set[int] = set()  # hashes of the ids
    rows = _read_rows(readers, split, root, report)
    for place, row in enumerate(rows):
        number = place if row.number is None else row.number
        for reader in readers if place == 0 else ():
            reader.check_first(row, split)
        missing, choices = next(filter(None, (reader.find_missing(row, split) for reader in readers)), (None, ""))
        if missing is not None and not skips:
            raise InputError(f"{row.where}: {missing} ({choices}broken_rows: skip leaves such rows out)")
        if missing is not None and split != "test":
            report(f"{row.where}: skipped, {missing}")
            continue
        if missing is not None:  # a prediction file wants every row
            report(f"{row.where}: kept, {missing}")
        examples = tuple(_parse(reader, row, number, split, rows) for reader in readers)
        mark = hash(examples[0].id)
        if mark in seen:
            raise InputError(
                f"{row.where}: {readers[0].id} is {examples[0].id!r}, as in an earlier row (expected unique ids; "
                f"without an id column, rows are numbered)"
            )
        seen.add(mark)
        yield row.where, examples


def _parse(reader: ExampleReader, row: Row, number: int, split: Split, later: Iterator[Row]) -> Example:
    """Turn a row into an example; where its label is none, look through the later rows for more such labels."""
    try:
        return reader.parse(row, number, split)
    except UnknownLabelError as error:
        raise InputError(f"{error}{reader.count_unknown(chain([row], later), split)})") from None


def _read_rows(
    readers: Sequence[ExampleReader], split: Split, root: Path, report: Callable[[str], None]
) -> Iterator[Row]:
    first = readers[0]
    columns = [*first.texts, *(column for reader in readers for column in reader.read_columns)]
    return first.source.read(
        split,
        root,
        list(dict.fromkeys([*columns, *([first.id] if first.id else [])])),
        delimiter=first.delimiter,
        quotes=first.quotes,
        report=report,
        lists=[column for reader in readers for column in reader.list_columns],
        keys=first.keys,
    )
