"""Settings in `-c` files and flags, read as plain data."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from runtime.errors import InputError
from runtime.strict_yaml import read_yaml_file


def load_yaml(path: Path) -> Any:
    """Return what a YAML file holds.

    Raises:
        InputError: If it is not YAML in UTF-8, or has a key twice.
    """
    try:
        return read_yaml_file(path)
    except ValueError as error:
        raise InputError(str(error)) from None


def read_yaml(path: Path) -> dict[str, Any]:
    """Return what a configuration file holds; an empty mapping for a file of comments.

    Raises:
        InputError: If it is not YAML, has a key twice, or is not a mapping.
    """
    found = load_yaml(path)
    if not isinstance(found, dict | None):
        raise InputError(f"{path}: holds a {type(found).__name__} (expected a mapping such as data: …)")
    return found or {}


def find_tasks(configs: Sequence[Path]) -> dict[str, Any]:
    """Return the `tasks:` of the last file that has some, as plain data: they replace those of the files below.

    Raises:
        InputError: If a file cannot be read, or its `tasks:` are not a mapping.
    """
    tasks: dict[str, Any] = {}
    for path in configs:
        found = read_yaml(path).get("tasks")
        if not isinstance(found, dict | None):
            raise InputError(f"{path}: tasks holds a {type(found).__name__} (expected a mapping such as sst: Sst)")
        tasks = found or tasks
    return tasks


def find_flag(flags: Sequence[str], name: str) -> str | None:
    """Return the last value of a flag, the one that counts; None if it is absent.

    Example:
        >>> find_flag(["--data.batch_size", "8", "--data.batch_size=16"], "--data.batch_size")
        '16'
    """
    found = None
    for flag, value in pairwise([*flags, ""]):
        given, is_joined, joined = flag.partition("=")
        if given == name:
            found = joined if is_joined else value
    return found


def find_setting(configs: Sequence[Path], flags: Sequence[str], group: str, name: str) -> Any:
    """Return the last value of a setting, the one that counts; None if neither files nor flags give it.

    Args:
        configs: `-c` files in order.
        flags: The flags after them.
        group: Its group, such as `trainer`.
        name: Its name in the group; its value is not a mapping.

    Raises:
        InputError: If a file cannot be read, or its group is not a mapping.
    """
    found = None
    for path in configs:
        settings = read_yaml(path).get(group)
        if not isinstance(settings, dict | None):
            raise InputError(
                f"{path}: {group} holds a {type(settings).__name__} (expected a mapping such as {group}: {{{name}: …}})"
            )
        found = (settings or {}).get(name, found)
    flag = find_flag(flags, f"--{group}.{name}")
    return found if flag is None else yaml.safe_load(flag)
