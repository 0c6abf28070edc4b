"""Rows of a user's file or of a hub dataset, each with the line it stands on."""

import csv
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from tasks.errors import InputError

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")
HUB_SPLITS = {"train": "train", "dev": "validation", "test": "test"}
FILE_FORMATS = (".csv", ".tsv", ".jsonl", ".parquet", ".txt")


@dataclass(frozen=True)
class Row:
    """One row of a source.

    Args:
        where: File and line (or row) for messages.
        fields: Value of each column as text; None where the row has no such cell.
        repeated: Columns that the header names more than once.
    """

    where: str
    fields: Mapping[str, str | None]
    repeated: frozenset[str] = frozenset()


def check_columns(row: Row, columns: Iterable[str]) -> None:
    """Check that the columns of a source are there, once each.

    Args:
        row: Its first row.
        columns: Names of the columns that are read.

    Raises:
        InputError: If one is missing or appears twice.
    """
    source = row.where.rsplit(", ", 1)[0]
    for column in columns:
        if column in row.repeated:
            raise InputError(f"{source}: two columns are named {column!r} (expected one)")
        if column not in row.fields:
            found = ", ".join(map(repr, row.fields))
            raise InputError(
                f"{source}: no column {column!r} (found {found}; if these are several names in one, set delimiter)"
            )


def check_source(source: Mapping[str, str], *, task: str) -> None:
    """Check the keys of a `source:` mapping.

    Args:
        source: `{train: FILE, dev: FILE, test: FILE}`, or `{hub: NAME, name: CONFIGURATION}` with the hub's split names
            under `train`, `dev` and `test` where they are not train, validation and test.
        task: Class name of the task, for messages.

    Raises:
        InputError: If a key is unknown or no file is named.
    """
    known = {*SPLITS, "hub", "name"} if "hub" in source else set(SPLITS)
    unknown = sorted(set(source) - known)
    if unknown:
        raise InputError(f"{task}: source has the key {unknown[0]!r} (expected {', '.join(sorted(known))})")
    if not source:
        raise InputError(f"{task}: source is empty (expected train, dev or test with a file, or hub with a dataset)")


def locate(source: Mapping[str, str], split: Split, root: Path) -> Path | None:
    """Return the file of a split; None if the source is on the hub.

    Args:
        source: The task's `source:` mapping.
        split: Which split.
        root: Folder that relative paths start from.

    Raises:
        InputError: If the source lacks the split, or the file is missing, is a folder or has an unknown ending.
    """
    if "hub" in source:
        return None
    if split not in source:
        raise InputError(f"source names no {split} split (it has {', '.join(source)})")
    path = root / Path(source[split]).expanduser()
    if path.is_dir():
        raise InputError(f"{path}: is a folder (expected a file of the {split} split)")
    if not path.is_file():
        raise InputError(f"{path}: no such file (the {split} split; relative paths start from --data.root {root})")
    if path.suffix not in FILE_FORMATS:
        raise InputError(f"{path}: unknown ending {path.suffix!r} (expected {', '.join(FILE_FORMATS)})")
    return path


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_rows(
    path: Path, *, delimiter: str | None, quotes: bool = True, report: Callable[[str], None] = lambda note: None
) -> Iterator[Row]:
    """Return the rows of a file in order.

    Args:
        path: A .csv, .tsv, .jsonl or .parquet file; or .txt, whose lines are the column `text`, blank ones left out.
        delimiter: Character between the cells of a .csv or .tsv file; None for a comma and a tab.
        quotes: Whether quotes enclose cells of a .csv or .tsv file.
        report: Called after the last row with the number of rows that span several lines, if there are some.

    Raises:
        InputError: If the file is empty, is not UTF-8 or is not of its format, or a quote has swallowed whole rows; the
            message names the line.
    """
    if path.suffix == ".jsonl":
        yield from _read_json_lines(path)
    elif path.suffix == ".parquet":
        yield from _read_parquet(path)
    elif path.suffix == ".txt":
        yield from _read_text(path)
    else:
        between = delimiter or ("\t" if path.suffix == ".tsv" else ",")
        yield from _read_delimited(path, between, quotes=quotes, report=report)


def _decode_lines(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise InputError(f"{path}, line {number}: not UTF-8 text ({error.reason})") from None
            if "\0" in text:
                raise InputError(f"{path}, line {number}: holds a NUL byte (expected text)")
            yield text


def _read_text(path: Path) -> Iterator[Row]:
    for number, line in enumerate(_decode_lines(path), start=1):
        if "\r" in line.rstrip("\r\n"):
            raise _carriage_return(path, number)
        if line.strip():
            yield Row(f"{path}, line {number}", {"text": line.strip()})


def _carriage_return(path: Path, line: int) -> InputError:
    return InputError(f"{path}, line {line}: a carriage return inside a line (expected LF or CRLF)")


def _read_delimited(path: Path, delimiter: str, *, quotes: bool, report: Callable[[str], None]) -> Iterator[Row]:
    numbered = _split_cells(path, delimiter, quotes=quotes, report=report)
    _, header = next(numbered, (0, None))
    if header is None:
        raise InputError(f"{path}: is empty (expected a header line)")
    repeated = frozenset(name for name in header if header.count(name) > 1)
    for number, cells in numbered:
        where = f"{path}, line {number}"
        if len(cells) > len(header):
            raise InputError(f"{where}: has {len(cells)} cells (expected {len(header)} as in the header)")
        padded = [*cells, *[None] * (len(header) - len(cells))]
        yield Row(where, dict(zip(header, padded, strict=True)), repeated)


def _split_cells(
    path: Path, delimiter: str, *, quotes: bool, report: Callable[[str], None]
) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(2**31 - 1)
    end = "\0"  # stands in no line; inside a cell it tells that a quote has swallowed the rest of the file
    lines = chain(_decode_lines(path), [end])
    reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE)
    start, spanning = 1, []
    try:
        for cells in reader:
            if cells == [end]:
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
        raise _carriage_return(path, reader.line_num) from None
    if spanning:
        found = f"{len(spanning)} row(s) span several lines, the first at line {spanning[0]}"
        report(f"{path}: {found} (quotes: false if quotes are text)")


def _refuse_swallowed(cells: list[str], delimiter: str, where: str) -> None:
    """Refuse a quoted cell that holds the end of its row and the beginning of another.

    Only tabs tell: a text of several lines often holds commas.
    """
    if delimiter == "\t" and any(delimiter in cell and "\n" in cell for cell in cells):
        raise InputError(
            f'{where}: a quote encloses several rows (expected quotes: false where quotes are text, or " as "")'
        )


def _read_json_lines(path: Path) -> Iterator[Row]:
    is_empty = True
    for number, line in enumerate(_decode_lines(path), start=1):
        if line.strip():
            is_empty = False
            where = f"{path}, line {number}"
            yield Row(where, _as_texts(_parse_json(line, where), where))
    if is_empty:
        raise InputError(f"{path}: is empty (expected one JSON object a line)")


def _parse_json(line: str, where: str) -> dict[str, Any]:
    try:
        fields = json.loads(line, object_pairs_hook=_without_repeats)
        if "\\ud" in line.lower():
            json.dumps(fields, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: not JSON ({error.msg} at column {error.colno})") from None
    except UnicodeEncodeError:
        raise InputError(f"{where}: holds half of a surrogate pair (expected whole characters)") from None
    except (ValueError, RecursionError) as error:  # a key that stands twice, a number of thousands of digits
        raise InputError(f"{where}: {_first_clause(error)} (expected plain JSON)") from None
    if not isinstance(fields, dict):
        raise InputError(f"{where}: holds a JSON {type(fields).__name__} (expected an object)")
    return fields


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice")
    return fields


def _first_clause(error: Exception) -> str:
    return "is nested too deeply" if isinstance(error, RecursionError) else str(error).split(";")[0]


def _read_parquet(path: Path) -> Iterator[Row]:
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        file = pyarrow.parquet.ParquetFile(path)
        names = file.schema_arrow.names
        repeated = frozenset(name for name in names if names.count(name) > 1)
        for batch in file.iter_batches():
            for fields in _to_dicts(batch, f"{path}, rows {number + 1} to {number + batch.num_rows}"):
                number += 1
                where = f"{path}, row {number}"
                yield Row(where, _as_texts(fields, where), repeated)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise InputError(f"{path}: not a Parquet file ({error})") from None


def _to_dicts(batch: Any, where: str) -> list[dict[str, Any]]:
    columns = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            columns[name] = column.to_pylist()
        except UnicodeDecodeError as error:
            raise InputError(f"{where}: {name} is not UTF-8 text ({error.reason})") from None
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def load_hub(source: Mapping[str, str], split: Split) -> Any:
    """Load one split of a hub dataset, or of a local folder in hub layout.

    Returns:
        A `datasets.Dataset`.

    Raises:
        InputError: If the dataset or its split cannot be had.
    """
    import datasets

    hub_split = source.get(split, HUB_SPLITS[split])
    try:
        return datasets.load_dataset(source["hub"], source.get("name"), split=hub_split)
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        what = f"{source['hub']} {source.get('name', '')}".strip()
        raise InputError(
            f"hub dataset {what}, split {hub_split}: {error}. Without a network, name local files instead: "
            f"source: {{train: FILE, dev: FILE}}"
        ) from error


def read_hub(source: Mapping[str, str], split: Split) -> Iterator[Row]:
    """Return the rows of one split of a hub dataset in order.

    Raises:
        InputError: If the dataset or its split cannot be had.
    """
    name = f"{source['hub']}/{source['name']}" if "name" in source else source["hub"]
    for number, fields in enumerate(load_hub(source, split)):
        where = f"{name} {split}, row {number}"
        yield Row(where, _as_texts(fields, where))


def _as_texts(fields: Mapping[str, Any], where: str) -> dict[str, str | None]:
    return {name: _as_text(value, name, where) for name, value in fields.items()}


def _as_text(value: Any, name: str, where: str) -> str | None:
    """Return a cell as text; None where it is empty, as is a number that is none."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise InputError(f"{where}: {name} is not UTF-8 text ({error.reason})") from None
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, bool | int | float | list | dict):
        return json.dumps(value, default=str, ensure_ascii=False)
    return str(value)
