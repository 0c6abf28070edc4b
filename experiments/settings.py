"""What `-c` files and flags end up with, as far as plain data tell."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from tasks import InputError


def read_yaml(path: Path) -> dict[str, Any]:
    """Return what a configuration file holds; nothing if there are only comments.

    Raises:
        InputError: If it is not YAML, or no mapping.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
    if not isinstance(found, dict | None):
        raise InputError(f"{path}: holds a {type(found).__name__} (expected a mapping such as data: …)")
    return found or {}


def find_flag(flags: Sequence[str], name: str) -> str | None:
    """Return the last value of a flag, the one that counts; None if it is not there.

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


def merge_settings(configs: Sequence[Path], flags: Sequence[str]) -> dict[str, Any]:
    """Lay files and flags over each other as the command line does.

    A later file's `tasks` replace the earlier ones, as do two values of which one is no mapping.

    Args:
        configs: `-c` files in order.
        flags: The flags behind them, `--a.b value` or `--a.b=value`.

    Raises:
        InputError: If a file cannot be read.
    """
    merged: dict[str, Any] = {}
    for path in configs:
        layer = read_yaml(path)
        if layer.get("tasks"):
            merged = {**merged, "tasks": {}}
        merged = _lay_over(merged, layer)
    for flag, value in pairwise([*flags, ""]):
        name, is_joined, joined = flag.partition("=")
        if name.startswith("--"):
            merged = _lay_over(merged, _nest(name[2:].split("."), _parse(joined if is_joined else value)))
    return merged


def option(value: Any, name: str) -> Any:
    """Return an option of a class, which YAML has under `init_args` and a flag may have without; None if not given."""
    if not isinstance(value, Mapping):
        return None
    return value.get(name, (value.get("init_args") or {}).get(name))


def class_name(value: Any) -> str:
    """Return the short name of the class that a value chooses; empty for none.

    Example:
        >>> class_name("Joint"), class_name({"class_path": "datamodules.Joint"}), class_name(None)
        ('Joint', 'Joint', '')
    """
    path = value.get("class_path") if isinstance(value, Mapping) else value
    return str(path or "").rpartition(".")[2]


def _lay_over(below: Any, above: Any) -> Any:
    if not isinstance(above, Mapping):
        return above
    if isinstance(below, str):
        below = {"class_path": below}  # `--data.schedule.stop longest` over `schedule: Joint`
    kept = below if isinstance(below, Mapping) else {}
    return {**kept, **{key: _lay_over(kept.get(key), value) for key, value in above.items()}}


def _nest(keys: Sequence[str], value: Any) -> Any:
    return value if not keys else {keys[0]: _nest(keys[1:], value)}


def _parse(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text
