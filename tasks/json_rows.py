"""Rows of JSON files: an object a line, or one list of objects."""

import json
from collections.abc import Collection, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from runtime.errors import InputError
from tasks.cells import Row, as_texts
from tasks.text_lines import TextEncoding, decode_lines

LOOK_AHEAD = 1000  # rows among which each column is looked for: an object may leave out what it does not have


def read_json_lines(
    path: Path, columns: Collection[str] | None, *, encoding: TextEncoding, lists: Collection[str] = ()
) -> Iterator[Row]:
    """Return the rows of a file with a JSON object a line.

    Args:
        path: The file.
        columns: The columns that are used; None for all (see `as_texts`).
        encoding: Character encoding.
        lists: Those whose cells may be lists.

    Raises:
        InputError: If the file is empty, a line is no JSON object, or a used value is a list or an object.
    """
    return _complete(_parse_lines(path, encoding), path, columns, lists)


def read_json(
    path: Path, columns: Collection[str] | None, *, encoding: TextEncoding, lists: Collection[str] = ()
) -> Iterator[Row]:
    """Return the rows of a file that is one JSON list of objects, which is read whole, or has an object a line."""
    lines = decode_lines(path, encoding)
    first = next((line for line in lines if line.strip()), "")
    if not first.lstrip().startswith("["):
        return read_json_lines(path, columns, encoding=encoding, lists=lists)
    items = _parse("".join(decode_lines(path, encoding)), str(path))
    objects = ((f"{path}, row {number}", item) for number, item in enumerate(items, start=1))
    return _complete(((where, _check_object(item, where)) for where, item in objects), path, columns, lists)


def _complete(
    objects: Iterator[tuple[str, dict[str, Any]]], path: Path, columns: Collection[str] | None, lists: Collection[str]
) -> Iterator[Row]:
    """Return rows that have all columns of the first objects, in their order, and of their own."""
    ahead: list[tuple[str, dict[str, Any]]] = []
    names: dict[str, None] = {}
    for where, values in objects:
        ahead.append((where, values))
        names |= dict.fromkeys(values)
        if (columns is not None and names.keys() >= set(columns)) or len(ahead) == LOOK_AHEAD:
            break
    if not ahead:
        raise InputError(f"{path}: is empty (expected JSON objects)")
    for where, values in chain(ahead, objects):
        yield Row(where, as_texts(values, names | dict.fromkeys(values), columns, where, lists), is_typed=True)


def _parse_lines(path: Path, encoding: TextEncoding) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(decode_lines(path, encoding), start=1):
        if line.strip():
            where = f"{path}, line {number}"
            yield where, _check_object(_parse(line, where), where)


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_without_repeats)
    except json.JSONDecodeError as error:
        place = f"column {error.colno}" if error.lineno == 1 else f"line {error.lineno} column {error.colno}"
        raise InputError(f"{where}: not JSON ({error.msg} at {place})") from None
    except (ValueError, RecursionError) as error:  # a key that appears twice, a number of thousands of digits
        raise InputError(f"{where}: {_first_clause(error)} (expected plain JSON)") from None


def _check_object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{where}: holds a JSON {type(value).__name__} (expected an object)")
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} appears twice")
    return fields


def _first_clause(error: Exception) -> str:
    return "is nested too deeply" if isinstance(error, RecursionError) else str(error).split(";")[0]
