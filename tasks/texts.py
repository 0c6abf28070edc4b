"""Sentences without labels, for further pre-training."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import InputError
from tasks.source import Row, Split, check_source, locate, read_hub, read_rows


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Text columns of a file or hub dataset.

    Args:
        source: `{train: FILE}` (.txt with one text a line, .csv, .tsv, .jsonl or .parquet; relative to `--data.root`),
            or `{hub: NAME, name: CONFIGURATION}`. Only the train split is read.
        texts: Names of the text columns; a .txt file has the one column `text`.
        delimiter: Character between the cells of a .csv or .tsv file; None for a comma in .csv, a tab in .tsv.
        quotes: Whether quotes enclose cells of a .csv or .tsv file.

    Raises:
        InputError: If the source has an unknown key, there is not one text column or two, or the delimiter is not one
            character.
    """

    source: dict[str, str]
    texts: tuple[str, ...] = ("text",)
    delimiter: str | None = None
    quotes: bool = True

    def __post_init__(self) -> None:
        check_source(self.source, task="Texts")
        if not 1 <= len(self.texts) <= 2:
            raise InputError(f"Texts: texts names {len(self.texts)} column(s) (expected 1 or 2)")
        if self.delimiter is not None and len(self.delimiter) != 1:
            raise InputError(f'Texts: delimiter is {self.delimiter!r} (expected one character; a tab is "\\t" in YAML)')

    def read_texts(self, split: Split, root: Path, report: Callable[[str], None]) -> Iterator[tuple[str, ...]]:
        """Give the texts of each row, leaving out blank lines; see `read_texts`."""
        return read_texts(
            self.source, split, root, self.texts, delimiter=self.delimiter, quotes=self.quotes, report=report
        )


def read_texts(
    source: dict[str, str],
    split: Split,
    root: Path,
    columns: tuple[str, ...],
    *,
    delimiter: str | None,
    quotes: bool,
    report: Callable[[str], None],
) -> Iterator[tuple[str, ...]]:
    """Give the text cells of each row; labels are not looked at.

    Args:
        source: A `source:` mapping.
        split: Which split.
        root: Folder that relative paths start from.
        columns: The text columns.
        delimiter: Character between cells; None for the file format's own.
        quotes: Whether quotes enclose cells.
        report: Called with a sentence for each row that is left out because a text is empty.

    Raises:
        InputError: If the source is wrong, lacks a column or has it twice.
    """
    path = locate(source, split, root)
    for row in read_hub(source, split) if path is None else read_rows(path, delimiter=delimiter, quotes=quotes):
        _check_columns(row, columns)
        texts = tuple((row.fields[column] or "").strip() for column in columns)
        if all(texts):
            yield texts
        else:
            report(f"{row.where}: skipped, {columns[texts.index('')]} is empty")


def _check_columns(row: Row, columns: tuple[str, ...]) -> None:
    for column in columns:
        if column in row.repeated:
            raise InputError(f"{row.where}: two columns are named {column!r} (expected one)")
        if column not in row.fields:
            found = ", ".join(map(repr, row.fields))
            raise InputError(
                f"{row.where}: no column {column!r} (found {found}; if these are several names in one, set delimiter)"
            )
