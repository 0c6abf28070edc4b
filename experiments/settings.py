"""Settings in `-c` files and flags, read as plain data."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from runtime.strict_yaml import read_yaml_file
from tasks import InputError


def read_yaml(path: Path) -> dict[str, Any]:
    """Return what a configuration file holds; an empty mapping for a file of comments.

    Raises:
        InputError: If it is not YAML, has a key twice, or is not a mapping.
    """
    try:
        found = read_yaml_file(path)
    except ValueError as error:
        raise InputError(str(error)) from None
    if not isinstance(found, dict | None):
        raise InputError(f"{path}: holds a {type(found).__name__} (expected a mapping such as data: …)")
    return found or {}


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
        InputError: If a file cannot be read.
    """
    found = None
    for path in configs:
        found = (read_yaml(path).get(group) or {}).get(name, found)
    flag = find_flag(flags, f"--{group}.{name}")
    return found if flag is None else yaml.safe_load(flag)
