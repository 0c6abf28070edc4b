"""A row of a file, and the cells of typed columns as text."""

import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from runtime.errors import InputError
from runtime.suggestions import suggest

SEVERAL_IN_ONE = "; if that is several names in one, set delimiter"


@dataclass(frozen=True)
class Row:
    """One row of a source.

    Args:
        where: File and line (or row) for messages.
        fields: Value of each column as text; None where the row has no such cell, or nobody asked for it.
        repeated: Columns that the header names more than once.
        number: Place among all rows of the file, from 0, where some are left out; else None.
        is_typed: Whether the format has numbers of its own (JSON, Parquet, the hub), which no country writes otherwise.
    """

    where: str
    fields: Mapping[str, str | None]
    repeated: frozenset[str] = frozenset()
    number: int | None = None
    is_typed: bool = False


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
            hint = SEVERAL_IN_ONE if len(row.fields) == 1 else ""
            raise InputError(f"{source}: no column {column!r} (found {found}{hint}){suggest(column, row.fields)}")


def as_texts(
    values: Mapping[str, Any],
    names: Collection[str],
    columns: Collection[str] | None,
    where: str,
    lists: Collection[str] = (),
) -> dict[str, str | None]:
    """Return the used cells of a row as text, and None for the others.

    Args:
        values: Value of each cell that the row has.
        names: Names of all columns.
        columns: Those that are used; None for all, and then any cell may be a list or an object, which becomes JSON.
        where: Place of the row, for messages.
        lists: Those whose cells may be lists; they become JSON.

    Raises:
        InputError: If a used cell is no text, number or date.
    """
    used = {name: values.get(name) for name in names if columns is None or name in columns}
    as_json = {
        name: json.dumps(value, default=str, ensure_ascii=False)
        for name, value in used.items()
        if isinstance(value, list | dict) and (columns is None or (name in lists and isinstance(value, list)))
    }
    return {name: as_json.get(name) or _as_text(used.get(name), name, where) for name in names}


def _as_text(value: Any, name: str, where: str) -> str | None:
    """Return a cell as text; None where it is empty, as is a number that is none."""
    if value is None:
        return None
    if isinstance(value, str):
        if not _is_whole(value):
            raise InputError(f"{where}: {name} holds half of a surrogate pair (expected whole characters)")
        return value
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise InputError(f"{where}: {name} is not UTF-8 text ({error.reason})") from None
    if isinstance(value, list | dict | tuple):
        kind = "an object" if isinstance(value, dict) else "a list"
        raise InputError(f"{where}: {name} is {kind} (expected a text, a number, true or false)")
    if isinstance(value, float) and math.isnan(value):
        return None
    return json.dumps(value) if isinstance(value, bool | int | float) else str(value)


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
