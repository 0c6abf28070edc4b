"""The tasks that a row's files and flags end up with, read before anything is trained."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentError

from command_line.parser import Parser
from experiments.settings import find_setting, find_tasks
from runtime.file_digest import digest
from tasks import InputError, Task


def read_tasks(configs: Sequence[Path], flags: Sequence[str], origin: str) -> dict[str, Task]:
    """Return the tasks by name, as `train.py fit` reads them.

    Args:
        configs: `-c` files in order.
        flags: The flags after them.
        origin: Where the row is described, for messages.

    Raises:
        InputError: If there are none, they cannot be read, or none of them enters the mean.
    """
    found = find_tasks(configs)
    words = [f"--tasks={json.dumps(found)}"] if found else []
    chosen = list(_choose_task_flags(flags))
    if not (words or chosen):
        raise InputError(f"{origin}: has no tasks (expected tasks: in one of its -c files)")
    _check_names(chosen, found, origin)
    parser = Parser(exit_on_error=False)
    parser.add_argument("--tasks", type=dict[str, Task])
    try:
        tasks: dict[str, Task] = parser.instantiate(parser.parse_args([*words, *chosen])).tasks
    except ArgumentError as error:
        raise InputError(f"{origin}: {parser.explain(str(error), [*words, *chosen])}") from None
    except InputError as error:
        raise InputError(f"{origin}: {error}") from None
    if not any(task.in_mean for task in tasks.values()):
        raise InputError(f"{origin}: every task has in_mean: false (expected at least one without)")
    return tasks


def _choose_task_flags(flags: Sequence[str]) -> Iterator[str]:
    """Choose the flags that are about tasks, with their values."""
    is_task = False
    for word in flags:
        if word.startswith("--"):
            name = word.partition("=")[0]
            is_task = name == "--tasks" or name.startswith("--tasks.")
        if is_task:
            yield word


def _check_names(flags: Sequence[str], tasks: Iterable[str], origin: str) -> None:
    """Raise an error if a flag is about a task that neither the files nor an earlier flag have."""
    known = dict.fromkeys(tasks)
    for word in flags:
        name, *options = word.partition("=")[0].split(".")[1:] or [""]
        if word == "--tasks" or word.startswith("--tasks="):
            return  # another map: what it names is for the parser to say
        if word.startswith("--tasks.") and not options:
            known[name] = None
        elif word.startswith("--tasks.") and name not in known:
            raise InputError(f"{origin}: {word}: unknown task {name} (expected one of {', '.join(known)})")


def describe_dev(
    tasks: Mapping[str, Task], configs: Sequence[Path], flags: Sequence[str], root: str | None
) -> dict[str, tuple[Any, ...]]:
    """Return what decides which dev rows each task is scored on: the file or hub dataset, how it is split, the limit.

    Args:
        tasks: The tasks by name.
        configs: `-c` files in order.
        flags: The flags after them.
        root: `--data.root`, which overrides theirs; None if it is not given.

    Raises:
        InputError: If the file of a dev split is missing.
    """
    folder = Path(root or find_setting(configs, flags, "data", "root") or ".").expanduser()
    limit = find_setting(configs, flags, "data", "dev_limit")
    described = {}
    for name, task in tasks.items():
        path = task.source.locate("dev", folder)
        content = digest(path) if path else (task.source.hub, task.source.name, task.source.all or task.source.dev)
        described[name] = (content, _describe_split(task), task.with_limits(train=None, dev=limit).dev_limit)
    return described


def _describe_split(task: Task) -> tuple[str, str] | None:
    """Return what decides how the rows of one file are split; None where each split has a file of its own."""
    rule = task.source.rule
    return None if rule is None else (rule.describe(), rule.stratify or task.label)


def check_metrics(tasks: Mapping[str, Mapping[str, Task]]) -> None:
    """Raise an error unless a task has the same first metric wherever it enters the mean.

    Args:
        tasks: Tasks by name, by where they are described.

    Raises:
        InputError: If one has not.
    """
    seen: dict[str, tuple[str, str]] = {}
    for origin, found in tasks.items():
        for name, metric in ((name, task.metric_names[0]) for name, task in found.items() if task.in_mean):
            where, before = seen.setdefault(name, (origin, metric))
            if before != metric:
                raise InputError(
                    f"{origin}: task {name} is scored by {metric}, in {where} by {before} (expected the same metric)"
                )
