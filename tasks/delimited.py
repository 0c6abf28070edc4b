"""Rows of files whose cells stand between delimiters, and of files with a text a line."""

import csv
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from runtime.counts import counted
from runtime.errors import InputError
from tasks.cells import SEVERAL_IN_ONE, Row
from tasks.text_lines import TextEncoding, carriage_return, decode_lines

HOW_TO_WRITE_A_TAB = r"""a tab is "\t" in YAML, $'\t' in a shell"""


def check_delimiter(delimiter: str | None, owner: str) -> None:
    """Check that what is given as a delimiter is one character, if it is given.

    Args:
        delimiter: What is given.
        owner: Whose delimiter it is, for the message.

    Raises:
        InputError: If not; the message says how a tab is written.
    """
    if delimiter is not None and len(delimiter) != 1:
        raise InputError(f"{owner}: delimiter is {delimiter!r} (expected one character; {HOW_TO_WRITE_A_TAB})")


def read_lines(path: Path, names: Sequence[str], *, encoding: TextEncoding) -> Iterator[Row]:
    """Return the lines of a file as the one column of each row, blank lines left out.

    Raises:
        InputError: If several columns are named, or a line is no text.
    """
    if len(names) > 1:
        raise InputError(f"{path}: source.columns names {len(names)} columns (expected one, or a delimiter)")
    for number, line in enumerate(decode_lines(path, encoding), start=1):
        if "\r" in line.rstrip("\r\n"):
            raise carriage_return(path, number)
        if line.strip():
            yield Row(f"{path}, line {number}", {names[0]: line.strip()})


def read_delimited(
    path: Path,
    delimiter: str,
    *,
    quotes: bool,
    names: Sequence[str] | None,
    encoding: TextEncoding,
    report: Callable[[str], None],
) -> Iterator[Row]:
    """Return the rows of a delimited file.

    Args:
        path: The file.
        delimiter: Character between cells.
        quotes: Whether quotes enclose cells.
        names: Names of the columns; None if the first line has them.
        encoding: Character encoding.
        report: Called after the last row with the number of rows that span several lines, if there are some.

    Raises:
        InputError: If the file is empty, a line has too many cells or is no text, or a quote has swallowed rows.
    """
    numbered = _split_cells(path, delimiter, quotes=quotes, encoding=encoding, report=report)
    start, first = next(numbered, (0, []))
    if not first:
        expected = "a header line" if names is None else "rows"
        raise InputError(f"{path}: is empty (expected {expected})")
    if first[0].lower().startswith("sep=") and len("".join(first)) <= len("sep=,"):
        raise InputError(
            f"{path}, line {start}: is Excel's note of the delimiter (expected the file without this line)"
        )
    if names is not None and first == list(names):
        raise InputError(f"{path}, line {start}: is a header (expected no source.columns where the file names them)")
    header = first if names is None else list(names)
    repeated = frozenset(name for name in header if header.count(name) > 1)
    for number, cells in numbered if names is None else chain([(start, first)], numbered):
        where = f"{path}, line {number}"
        if len(cells) > len(header):
            expected = "in the header" if names is None else "source.columns"
            hint = f", {header[0]!r}{SEVERAL_IN_ONE}" if len(header) == 1 and names is None else ""
            raise InputError(f"{where}: has {counted(len(cells), 'cell')} (expected {len(header)} as {expected}{hint})")
        padded = [*cells, *[None] * (len(header) - len(cells))]
        yield Row(where, dict(zip(header, padded, strict=True)), repeated)


def _split_cells(
    path: Path, delimiter: str, *, quotes: bool, encoding: TextEncoding, report: Callable[[str], None]
) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(2**31 - 1)
    end = "\0"  # stands in no line; inside a cell it tells that a quote has swallowed the rest of the file
    lines = chain(decode_lines(path, encoding), [end])
    reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE)
    start, spanning = 1, []
    try:
        for cells in reader:
            if cells == [end] and reader.line_num == start:
                break
            if cells and cells[-1].endswith(end):
                raise InputError(f'{path}, line {start}: a quote that is never closed (write " as "" in a cell)')
            if reader.line_num > start and cells:
                _refuse_swallowed(cells, delimiter, f"{path}, line {start}")
                spanning.append(start)
            if cells:
                yield start, cells
            start = reader.line_num + 1
    except csv.Error:
        raise carriage_return(path, reader.line_num) from None
    if spanning:
        found = f"{counted(len(spanning), 'row')} over several lines, the first at line {spanning[0]}"
        report(f"{path}: {found} (quotes: false if quotes are text)")


def _refuse_swallowed(cells: list[str], delimiter: str, where: str) -> None:
    """Refuse a quoted cell that holds the end of its row and the beginning of another.

    Only tabs tell: a text of several lines often holds commas.
    """
    if delimiter == "\t" and any(delimiter in cell and "\n" in cell for cell in cells):
        raise InputError(
            f'{where}: a quote encloses several rows (expected quotes: false where quotes are text, or " as "")'
        )
