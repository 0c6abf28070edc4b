"""What the user set, by file and flag: for messages that name the place and the task."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

CONFIG_FLAGS = ("-c", "--config")
CLASS_PATH, INIT_ARGS = "class_path", "init_args"
SOURCE = re.compile(r"tasks\.[^.]+\.source")


@dataclass(frozen=True)
class Setting:
    """One value that the user set.

    Args:
        key: Its dotted name, without `class_path` and `init_args`: `tasks.sst.head.loss`; a class has the name of what
            it is chosen for.
        value: The value, as plain data.
        where: File and line, as a message begins; empty for a flag.
    """

    key: str
    value: Any
    where: str = ""


def given_settings(arguments: Sequence[str]) -> list[Setting]:
    """Return what the files and flags of a command line set, in order; what cannot be read is left out.

    Example:
        >>> given = given_settings(["fit", "--tasks.a", "Sst", "--tasks.a.init_args.weight=2"])
        >>> [(one.key, one.value) for one in given]
        [('tasks.a', 'Sst'), ('tasks.a.weight', 2)]
    """
    found: list[Setting] = []
    for flag, following in pairwise([*arguments, ""]):
        name, is_joined, joined = flag.partition("=")
        value = joined if is_joined else following
        if name in CONFIG_FLAGS:
            found += read_settings(Path(value))
        elif name.startswith("--"):
            found += _parse(value, _without_init_args(name.removeprefix("--").removesuffix("+")))
    return found


def read_settings(path: Path) -> list[Setting]:
    """Return what a configuration file sets, in order; nothing if it cannot be read."""
    try:
        return _parse(path.read_text(encoding="utf-8"), "", file=str(path))
    except (OSError, UnicodeDecodeError):
        return []


def class_of(task: str, given: Sequence[Setting]) -> str | None:
    """Return the name of the class that a task was given last; None if it was given none."""
    names = [str(one.value) for one in given if one.key == f"tasks.{task}" and isinstance(one.value, str)]
    return names[-1].rpartition(".")[2] if names else None


def find_misshapen(given: Sequence[Setting], groups: Collection[str]) -> Setting | None:
    """Return the first setting that has no options where it must have some, as a key with nothing below it.

    Args:
        given: What a file sets.
        groups: Names of what has options and no value of its own, such as `model`.
    """
    for one in given:
        has_options = one.key in groups or SOURCE.fullmatch(one.key)
        if has_options and not isinstance(one.value, dict | str):
            return one
        if isinstance(one.value, dict) and CLASS_PATH in one.value:
            for key, kind in ((CLASS_PATH, str), (INIT_ARGS, dict)):
                if key in one.value and not isinstance(one.value[key], kind):
                    return Setting(f"{one.key}.{key}", one.value[key], one.where)
    return None


def misplaced_options(given: Sequence[Setting]) -> Setting | None:
    """Return the first mapping that has options beside `class_path`, with the names of these; None if there is none."""
    for one in given:
        if isinstance(one.value, dict) and CLASS_PATH in one.value:
            names = [str(name) for name in one.value if name not in (CLASS_PATH, INIT_ARGS, "dict_kwargs")]
            if names:
                return Setting(one.key, names, one.where)
    return None


def _parse(text: str, key: str, *, file: str | None = None) -> list[Setting]:
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        return [] if node is None else list(_walk(loader, node, key, file, line=1))
    except (yaml.YAMLError, ValueError):  # the latter of 2024-02-30, which has the form of a date
        return [Setting(key, text)] if file is None else []
    finally:
        loader.dispose()


def _walk(loader: yaml.SafeLoader, node: yaml.Node, key: str, file: str | None, *, line: int) -> Iterator[Setting]:
    """Return a node's setting and those below it; its line is that of its key."""
    if key:
        where = f"{file}, line {line}: " if file else ""
        yield Setting(key, loader.construct_object(node, deep=True), where)
    if isinstance(node, yaml.MappingNode):
        for name_node, value in node.value:
            name = str(loader.construct_object(name_node))
            below = key if name in (CLASS_PATH, INIT_ARGS) else f"{key}.{name}" if key else name
            yield from _walk(loader, value, below, file, line=name_node.start_mark.line + 1)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            if isinstance(item, yaml.MappingNode):
                yield from _walk(loader, item, key, file, line=item.start_mark.line + 1)


def _without_init_args(key: str) -> str:
    return key.replace(f".{INIT_ARGS}", "").removesuffix(f".{CLASS_PATH}")
