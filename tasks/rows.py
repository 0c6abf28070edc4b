"""Rows of a user's file, each with the line it stands on."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import InputError
from tasks.cells import Row
from tasks.delimited import read_delimited, read_lines
from tasks.json_rows import read_json, read_json_lines
from tasks.parquet_rows import read_parquet
from tasks.text_lines import BY_SOURCE, TextEncoding

FILE_FORMATS = (".csv", ".tsv", ".txt", ".jsonl", ".json", ".parquet")
PACKED = (".gz", ".bz2", ".xz", ".zip", ".zst", ".7z")
SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")
DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": None}

__all__ = ["FILE_FORMATS", "FileFormat", "Row", "check_ending", "read_rows"]


@dataclass(frozen=True, kw_only=True)
class FileFormat:
    """How the bytes of a file become rows.

    Args:
        delimiter: Character between the cells of a .csv, .tsv or .txt file; None for a comma, a tab, and lines that are
            one text each.
        quotes: Whether quotes enclose cells of a delimited file.
        columns: Names of the columns of a delimited file without a header line; a .txt file whose lines are texts has
            the one column `text` by default.
        encoding: Character encoding of a text file.
    """

    delimiter: str | None = None
    quotes: bool = True
    columns: tuple[str, ...] | None = None
    encoding: TextEncoding = BY_SOURCE


def check_ending(path: Path) -> None:
    """Check that the ending of a file is one of the `FILE_FORMATS`.

    Raises:
        InputError: If not; the message says what to do with a packed file or a spreadsheet.
    """
    ending = path.suffix.lower()
    if ending in PACKED:
        raise InputError(f"{path}: is packed (expected the file itself: unpack it first)")
    if ending in SPREADSHEETS:
        raise InputError(f"{path}: is a spreadsheet (expected a table as text: save it as .csv)")
    if ending not in FILE_FORMATS:
        raise InputError(f"{path}: unknown ending {path.suffix!r} (expected {', '.join(FILE_FORMATS)})")


def read_rows(
    path: Path,
    columns: Collection[str] | None,
    *,
    layout: FileFormat = FileFormat(),
    report: Callable[[str], None] = lambda note: None,
    lists: Collection[str] = (),
) -> Iterator[Row]:
    """Return the rows of a file in order.

    Args:
        path: A file with one of the `FILE_FORMATS` as its ending, in any case.
        columns: The columns that are used; the cells of the others are None, whatever they hold. None for all, whose
            lists and objects become JSON.
        layout: How its bytes become rows.
        report: Called after the last row with the number of rows that span several lines, if there are some.
        lists: Those of the columns whose cells may be lists, in formats that have some; they become JSON.

    Raises:
        InputError: If the file is empty, is not text of its encoding or is not of its format, a used cell is no text,
            or a quote has swallowed whole rows; the message names the line.
    """
    ending = path.suffix.lower()
    if layout.columns is not None and ending not in DELIMITERS:
        raise InputError(f"{path}: names its columns itself (expected source.columns for .csv, .tsv and .txt alone)")
    if ending == ".jsonl":
        return read_json_lines(path, columns, encoding=layout.encoding, lists=lists)
    if ending == ".json":
        return read_json(path, columns, encoding=layout.encoding, lists=lists)
    if ending == ".parquet":
        return read_parquet(path, columns, lists=lists)
    delimiter = layout.delimiter or DELIMITERS[ending]
    if delimiter is None:
        return read_lines(path, layout.columns or ("text",), encoding=layout.encoding)
    return read_delimited(
        path, delimiter, quotes=layout.quotes, names=layout.columns, encoding=layout.encoding, report=report
    )
