"""Sentences without labels, for further pre-training."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from runtime.counts import counted
from runtime.errors import InputError
from tasks.cells import check_columns
from tasks.delimited import check_delimiter
from tasks.source import Source, Split, check_source
from tasks.splitting import SplitKeys


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Text columns of a file or hub dataset.

    Args:
        source: `{train: FILE}` (.txt with one text a line, .csv, .tsv, .jsonl, .json or .parquet; relative to
            `--data.root`), or `{hub: NAME, name: CONFIGURATION}`. Only the train split is read.
        texts: Names of the text columns; a .txt file has the one column `text`.
        delimiter: Character between the cells of a .csv, .tsv or .txt file; None for a comma in .csv, a tab in .tsv,
            and lines of a .txt file that are texts.
        quotes: Whether quotes enclose cells of such a file.

    Raises:
        InputError: If the source has an unknown key, there is not one text column or two, or the delimiter is not one
            character.
    """

    source: Source
    texts: tuple[str, ...] = ("text",)
    delimiter: str | None = None
    quotes: bool = True

    def __post_init__(self) -> None:
        check_source(self.source, "Texts")
        if not 1 <= len(self.texts) <= 2:
            raise InputError(f"Texts: texts names {counted(len(self.texts), 'column')} (expected 1 or 2)")
        check_delimiter(self.delimiter, "Texts")

    def read_texts(
        self, split: Split, root: Path, report: Callable[[str], None], *, keep_halves: bool = False
    ) -> Iterator[tuple[str, ...]]:
        """Return the texts of each row, leaving out blank lines; see `read_texts`."""
        return read_texts(
            self.source,
            split,
            root,
            self.texts,
            delimiter=self.delimiter,
            quotes=self.quotes,
            report=report,
            keep_halves=keep_halves,
        )

    def text_settings(self) -> list[Any]:
        """Return the settings that decide what `read_texts` yields, for a cache key."""
        return [*self.texts, self.delimiter, self.quotes, self.source.reading_settings()]


def read_texts(
    source: Source,
    split: Split,
    root: Path,
    columns: tuple[str, ...],
    *,
    delimiter: str | None,
    quotes: bool,
    report: Callable[[str], None],
    broken_rows: Literal["error", "skip"] = "skip",
    keep_halves: bool = False,
    keys: SplitKeys | None = None,
) -> Iterator[tuple[str, ...]]:
    """Return the text cells of each row; labels are not looked at.

    Args:
        source: Where the rows lie.
        split: Which split.
        root: Folder that relative paths start from.
        columns: The text columns.
        delimiter: Character between cells; None for the file format's own.
        quotes: Whether quotes enclose cells.
        report: Called with a sentence for each row that is left out because a text is empty, and on what is odd.
        broken_rows: What to do with a row of which a text is empty: stop with an error, or skip and report it.
        keep_halves: Whether to give the other text of a skipped pair alone, if it has one.
        keys: What decides how one file is split; None for the texts alone.

    Raises:
        InputError: If the source is wrong, lacks a column or has it twice, or a text is empty and `broken_rows` is
            `error`.
    """
    keys = keys or SplitKeys(texts=columns)
    rows = source.read(split, root, columns, delimiter=delimiter, quotes=quotes, report=report, keys=keys)
    for number, row in enumerate(rows):
        if number == 0:
            check_columns(row, columns)
        texts = tuple((row.fields.get(column) or "").strip() for column in columns)
        if all(texts):
            yield texts
            continue
        message = f"{columns[texts.index('')]} is empty"
        if broken_rows == "error":
            raise InputError(f"{row.where}: {message} (broken_rows: skip leaves such rows out)")
        report(f"{row.where}: skipped, {message}")
        if keep_halves and any(texts):
            yield tuple(text for text in texts if text)
