"""Rows of a user's file or of a hub dataset, each with the line it stands on."""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
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
    """Give the file of a split; None if the source is on the hub.

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


def read_rows(path: Path, *, delimiter: str | None, quotes: bool = True) -> Iterator[Row]:
    """Give the rows of a file in order.

    Args:
        path: A .csv, .tsv, .jsonl or .parquet file; or .txt, whose lines are the column `text`, blank ones left out.
        delimiter: Character between the cells of a .csv or .tsv file; None for a comma and a tab.
        quotes: Whether quotes enclose cells of a .csv or .tsv file.

    Raises:
        InputError: If the file is empty, is not UTF-8 or is not of its format; the message names the line.
    """
    if path.suffix == ".jsonl":
        yield from _read_json_lines(path)
    elif path.suffix == ".parquet":
        yield from _read_parquet(path)
    elif path.suffix == ".txt":
        for number, line in enumerate(_decode_lines(path), start=1):
            if line.strip():
                yield Row(f"{path}, line {number}", {"text": line.strip()})
    else:
        yield from _read_delimited(path, delimiter or ("\t" if path.suffix == ".tsv" else ","), quotes=quotes)


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


def _read_delimited(path: Path, delimiter: str, *, quotes: bool) -> Iterator[Row]:
    numbered = _split_cells(path, delimiter, quotes=quotes)
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


def _split_cells(path: Path, delimiter: str, *, quotes: bool) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(2**31 - 1)
    end = "\0"  # stands in no line; inside a cell it tells that a quote has swallowed the rest of the file
    lines = chain(_decode_lines(path), [end])
    reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE)
    start = 1
    try:
        for cells in reader:
            if cells == [end]:
                return
            if cells and cells[-1].endswith(end):
                raise InputError(f'{path}, line {start}: a quote that is never closed (write " as "" in a cell)')
            if cells:
                yield start, cells
            start = reader.line_num + 1
    except csv.Error:
        line = reader.line_num
        raise InputError(f"{path}, line {line}: a carriage return inside a line (expected LF or CRLF)") from None


def _read_json_lines(path: Path) -> Iterator[Row]:
    is_empty = True
    for number, line in enumerate(_decode_lines(path), start=1):
        if line.strip():
            is_empty = False
            where = f"{path}, line {number}"
            yield Row(where, {name: _as_text(value) for name, value in _parse_json(line, where).items()})
    if is_empty:
        raise InputError(f"{path}: is empty (expected one JSON object a line)")


def _parse_json(line: str, where: str) -> dict[str, Any]:
    try:
        fields = json.loads(line)
        if "\\ud" in line.lower():
            json.dumps(fields, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: not JSON ({error.msg} at column {error.colno})") from None
    except UnicodeEncodeError:
        raise InputError(f"{where}: holds half of a surrogate pair (expected whole characters)") from None
    if not isinstance(fields, dict):
        raise InputError(f"{where}: holds a JSON {type(fields).__name__} (expected an object)")
    return fields


def _read_parquet(path: Path) -> Iterator[Row]:
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        for batch in pyarrow.parquet.ParquetFile(path).iter_batches():
            for fields in batch.to_pylist():
                number += 1
                yield Row(f"{path}, row {number}", {name: _as_text(value) for name, value in fields.items()})
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise InputError(f"{path}: not a Parquet file ({error})") from None


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
    """Give the rows of one split of a hub dataset in order.

    Raises:
        InputError: If the dataset or its split cannot be had.
    """
    name = f"{source['hub']}/{source['name']}" if "name" in source else source["hub"]
    for number, fields in enumerate(load_hub(source, split)):
        yield Row(f"{name} {split}, row {number}", {key: _as_text(value) for key, value in fields.items()})


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, default=str) if isinstance(value, bool | int | float | list | dict) else str(value)
