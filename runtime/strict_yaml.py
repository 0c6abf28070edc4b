"""YAML without surprises: a key that appears twice in one mapping is an error, where PyYAML lets the last one win."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MERGE = "tag:yaml.org,2002:merge"  # `<<` twice loses nothing


def read_yaml_file(path: Path) -> Any:
    """Return what a YAML file holds.

    Raises:
        ValueError: If it is not UTF-8 or not YAML, holds a date that there is not, or a mapping has a key twice; with
            file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
        check_keys(text, f"{path}, ")
        return _construct(text, path)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not YAML (not UTF-8 text: {error.reason})") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or " ".join(str(error).split())
        raise ValueError(f"{path}{line}: not YAML ({reason})") from None


def _construct(text: str, path: Path) -> Any:
    try:
        return yaml.load(text, Loader=LOADER)
    except ValueError as error:  # of 2024-02-30, which has the form of a date
        raise ValueError(f"{path}: a date in it is none ({error}; expected quotes where it is text)") from None


def check_keys(text: str, where: str = "") -> None:
    r"""Check that no mapping has a key twice.

    Args:
        text: The YAML.
        where: What precedes the line in a message.

    Raises:
        ValueError: If one has.
        yaml.YAMLError: If it is not YAML.

    Example:
        >>> check_keys("model: {pooling: cls}\nmodel: {pooling: mean}", "mine.yaml, ")
        Traceback (most recent call last):
        ValueError: mine.yaml, line 2: the key 'model' appears twice (first in line 1; expected once)
    """
    for name, mapping in _mappings(yaml.compose(text, Loader=LOADER), "", set()):
        lines: dict[tuple[str, str], int] = {}
        for key, _ in mapping.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == MERGE:
                continue
            line, found = key.start_mark.line + 1, (key.tag, key.value)
            if found in lines:
                raise ValueError(
                    f"{where}line {line}: the key {f'{name}{key.value}'!r} appears twice "
                    f"(first in line {lines[found]}; expected once)"
                )
            lines[found] = line


def _mappings(node: yaml.Node | None, name: str, seen: set[int]) -> Iterator[tuple[str, yaml.MappingNode]]:
    """Return every mapping once, with the dotted name that its keys begin with."""
    if node is None or id(node) in seen:  # what an alias repeats
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        yield name, node
        for key, value in node.value:
            yield from _mappings(value, f"{name}{getattr(key, 'value', '?')}.", seen)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _mappings(value, name, seen)
