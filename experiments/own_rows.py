"""Rows that a user describes: each a name and a training command, in a small YAML file or in flags."""

import argparse
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.options import find_file, split_configs
from experiments.row import Row
from experiments.settings import load_yaml
from runtime.arguments import Arguments
from runtime.errors import InputError

NAME = re.compile(r"\w[\w.+-]*")  # it is a folder too
KEYS = ("name", "command", "compare_with")
EXPECTED = "a list of rows such as - {name: plain, command: -c mine.yaml}"


def add_row_options(parser: Arguments) -> None:
    """Add the options that `read_given_rows` reads."""
    parser.add_argument("file", nargs="?", metavar="ROWS.yaml", help="a list of rows: name, command, compare_with")
    parser.add_argument(
        "--row", action="append", default=[], metavar="NAME=COMMAND",
        help="a row: what follows `train.py fit`; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "-c", "--config", action="append", default=[], help="a training configuration below every row; may be repeated"
    )
    parser.add_argument(
        "--against", metavar="NAME", help="the row that the others are compared with (default: the first)"
    )


def read_given_rows(parsed: argparse.Namespace) -> list[Row]:
    """Return the rows that `add_row_options` added; see `read_own_rows`."""
    shared = tuple(find_file(path, "-c") for path in parsed.config)
    return read_own_rows(parsed.file, parsed.row, shared=shared, against=parsed.against)


def read_own_rows(file: str | None, given: Sequence[str], *, shared: Sequence[Path], against: str | None) -> list[Row]:
    """Return the rows of a file, and then those given as flags; their tasks are still to be read.

    Args:
        file: A YAML file; a list with `name`, `command` and, if wanted, `compare_with` for each row. None for none.
        given: Rows as `NAME=COMMAND`.
        shared: `-c` files below those of each row.
        against: Name of the row that those without `compare_with` are compared with; None for the first row.

    Raises:
        InputError: If there is no row, a row is not as expected, or a file of its command is missing.
    """
    described = _read_file(find_file(file, "rows"), file) if file else []
    described += [(f"--row {text.partition('=')[0]}", _parse_flag(text)) for text in given]
    if not described:
        raise InputError("no rows (expected a file of rows, or --row NAME=COMMAND for each)")
    baseline = against or described[0][1]["name"]
    return [_build(origin, row, shared, baseline) for origin, row in described]


def _read_file(path: Path, shown: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Return where each row of a file is described, and its description."""
    found = load_yaml(path)
    if not isinstance(found, list) or not found:
        raise InputError(f"{shown}: holds {'a ' + type(found).__name__ if found else 'no rows'} (expected {EXPECTED})")
    rows: list[tuple[str, Mapping[str, Any]]] = []
    for number, row in enumerate(found, start=1):
        if not isinstance(row, dict):
            raise InputError(f"{shown}, row {number}: holds {row!r} (expected {EXPECTED})")
        unknown = [str(key) for key in row if key not in KEYS]
        missing = [key for key in KEYS[:2] if key not in row]
        if unknown or missing:
            wrong = f"unknown key {', '.join(unknown)}" if unknown else f"lacks {' and '.join(missing)}"
            raise InputError(f"{shown}, row {number}: {wrong} (expected name, command and, if wanted, compare_with)")
        for key, value in row.items():
            if not isinstance(value, str) and not (value is None and key != "name"):
                raise InputError(f"{shown}, row {number}: {key} is {value!r} (expected text; put it in quotes)")
        rows.append((f"{shown}, row {row['name']}", row))
    return rows


def _parse_flag(text: str) -> Mapping[str, Any]:
    name, is_joined, command = text.partition("=")
    if not is_joined:
        raise InputError(f"--row {text}: expected NAME=COMMAND, such as --row plain='-c mine.yaml'")
    return {"name": name, "command": command}


def _build(origin: str, row: Mapping[str, Any], shared: Sequence[Path], baseline: str) -> Row:
    name = row["name"]
    if not NAME.fullmatch(name):
        raise InputError(f"{origin}: the name is {name!r} (expected letters, digits and _.+-, as it becomes a folder)")
    words = parse_command(row["command"] or "", origin)
    configs, flags = split_configs(words, f"{origin}:")
    against = None if name == baseline else baseline
    return Row(
        name=name,
        title=shlex.join(words),
        configs=(*shared, *configs),
        tasks=(),
        against=row.get("compare_with", against),
        origin=origin,
        flags=flags,
    )


def parse_command(command: str, origin: str) -> list[str]:
    r"""Return the arguments of a training command, with or without `python train.py fit` before them.

    Args:
        command: The command as typed into a shell; a line that ends in a backslash continues on the next one.
        origin: Where it is given, for messages.

    Raises:
        InputError: If a quotation is not closed, or it is another command than `fit`.

    Example:
        >>> parse_command("python train.py fit -c a.yaml --data.root 'my data'", "row a")
        ['-c', 'a.yaml', '--data.root', 'my data']
    """
    try:
        words = shlex.split(command.replace("\\\n", " "))
    except ValueError as error:
        raise InputError(f"{origin}: the command cannot be read ({error}): {command}") from None
    script = next((number for number, word in enumerate(words) if Path(word).name == "train.py"), None)
    if script is not None:
        if words[script + 1 : script + 2] != ["fit"]:
            raise InputError(f"{origin}: the command is {command} (expected train.py fit)")
        words = words[script + 2 :]
    if words and not words[0].startswith("-"):
        raise InputError(
            f"{origin}: the command begins with {words[0]} (expected -c FILE or another flag of train.py fit)"
        )
    return words
