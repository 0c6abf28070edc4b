"""From the rows of a source to examples: each row checked, its label parsed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from heads import Label
from runtime.errors import InputError
from tasks.cells import check_columns
from tasks.rows import Row
from tasks.source import Source, Split
from tasks.splitting import SplitKeys
from tasks.unknown_labels import UnknownLabelError, UnknownLabels

SECRET_LABELS = ("-1", "-1.0")  # how GLUE marks the labels of a test split that it keeps to itself


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
        """Return file and line of the first row without a label; None if all have one.

        Raises:
            InputError: If a label cell holds something else.
        """
        unknown, empty = UnknownLabels(split), None
        for row in _read_rows([self], split, root, lambda note: None):
            try:
                label = self.find_label(row, split)
            except UnknownLabelError as error:
                unknown.add(error)
            else:
                empty = empty or (row.where if label is None else None)
        if unknown:
            raise InputError(str(unknown))
        return empty

    def find_label(self, row: Row, split: Split) -> Label | None:
        """Return the label of a row; None where it has none, as it may.

        Raises:
            UnknownLabelError: If its cell holds something else.
        """
        cell = self.read_cell(row)
        if cell in self.gaps or (split == "test" and not cell):
            return None
        try:
            return self.parse_label(cell)
        except ValueError as error:
            if split == "test" and cell in SECRET_LABELS:
                return None
            raise UnknownLabelError(row.where, self.label, cell, str(error)) from None

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
        return SplitKeys(texts=self.texts, labels=self.read_columns, read_label=self._find_stratum)

    def _find_stratum(self, row: Row) -> object:
        try:
            cell = self.read_cell(row)
            return None if cell in self.gaps else self.parse_label(cell)
        except ValueError:
            return None

    def find_missing(self, row: Row, split: Split) -> tuple[str, str] | None:
        """Say what a row lacks, and which settings give that a meaning; None where it lacks nothing."""
        for column in self.texts:
            if not (row.fields.get(column) or "").strip():
                return f"{column} is empty (expected text)", ""
        if split != "test" and "" not in self.gaps and self._is_empty(row):
            return f"{self.label} is empty (expected a label)", f"{self.empty_choices}, "
        return None

    def _is_empty(self, row: Row) -> bool:
        try:
            return not self.read_cell(row)
        except UnknownLabelError:
            return False

    def make_example(self, row: Row, number: int, label: Label | None) -> Example:
        """Turn a row into an example.

        Args:
            row: The row.
            number: Its number in the file, the id where there is no column of ids.
            label: Its label.

        Raises:
            InputError: If its id is empty.
        """
        texts = tuple(row.fields.get(column) or "" for column in self.texts)
        name = str(number) if self.id is None else (row.fields.get(self.id) or "").strip()
        if not name:
            raise InputError(f"{row.where}: {self.id} is empty (expected an id)")
        return Example(name, texts, label)

    def count_unknown(self, first: UnknownLabelError, later: Iterable[Row], split: Split) -> UnknownLabels:
        """Return the label cells that hold no label; the first alone where a later row is wrong in another way.

        Args:
            first: The first of them.
            later: The rows behind it.
            split: Which split.
        """
        found = [first]
        try:
            for row in later:
                try:
                    self.find_label(row, split)
                except UnknownLabelError as error:
                    found += [error] if error.cell else []
        except InputError:  # to be told when the labels are right
            found = [first]
        unknown = UnknownLabels(split)
        for each in found:
            unknown.add(each)
        return unknown


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
    unknown = [UnknownLabels(split) for _ in readers]
    rows = _read_rows(readers, split, root, report)
    for place, row in enumerate(rows):
        number = place if row.number is None else row.number
        for reader in readers if place == 0 else ():
            reader.check_first(row, split)
        missing, choices = next(filter(None, (reader.find_missing(row, split) for reader in readers)), (None, ""))
        if missing is not None and not skips:
            way = "predicts such rows too" if split == "test" else "leaves such rows out"
            raise InputError(f"{row.where}: {missing} ({choices}broken_rows: skip {way})")
        if missing is not None and split != "test":
            report(f"{row.where}: skipped, {missing}")
            continue
        if missing is not None:  # a prediction file wants every row
            report(f"{row.where}: kept, {missing}")
        examples = tuple(
            reader.make_example(row, number, _keep_label(reader, row, split, rows, kept))
            for reader, kept in zip(readers, unknown, strict=True)
        )
        mark = hash(examples[0].id)
        if mark in seen:
            raise InputError(
                f"{row.where}: {readers[0].id} is {examples[0].id!r}, as in an earlier row (expected unique ids; "
                f"without an id column, rows are numbered)"
            )
        seen.add(mark)
        yield row.where, examples
    for kept in filter(None, unknown):
        report(f"{kept}: such rows can be predicted, not scored")


def _keep_label(
    reader: ExampleReader, row: Row, split: Split, later: Iterator[Row], unknown: UnknownLabels
) -> Label | None:
    """Return a row's label; what is none is an error, with all such labels, but in a test split none is needed."""
    try:
        return reader.find_label(row, split)
    except UnknownLabelError as error:
        if split != "test":
            raise InputError(str(reader.count_unknown(error, later, split))) from None
        unknown.add(error)
        return None


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
