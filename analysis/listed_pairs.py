"""The pairs that are made by rule, as lines to read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser

from augmentation import KIND_NAMES, GeneratedPairs
from runtime.strict_yaml import read_yaml_file
from tasks import Example, InputError, Task


def read_configs(paths: Sequence[Path]) -> dict[str, Any]:
    """Return `tasks`, `root` and `train_limit` as configurations have them, of each the last one.

    Raises:
        InputError: If a file is no configuration, or none names tasks.
    """
    found: dict[str, Any] = {"root": ".", "train_limit": None}
    for path in paths:
        try:
            config = read_yaml_file(path)
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: {error}") from None
        if not isinstance(config, dict):
            raise InputError(f"{path}: holds no settings (expected a configuration)")
        found |= {"tasks": config["tasks"]} if "tasks" in config else {}
        data = config.get("data") or {}
        found |= {"root": root} if (root := data.get("root")) else {}
        found |= {"train_limit": data["train_limit"]} if "train_limit" in data else {}
    if "tasks" not in found:
        raise InputError(f"{', '.join(map(str, paths))}: no tasks (expected a configuration that names them)")
    return found


def choose_task(tasks: Mapping[str, Any], name: str, *, train_limit: int | None = None) -> Task:
    """Return a task of a configuration, with the default settings of generated pairs where it has none.

    Args:
        tasks: The tasks by name, as the configuration has them.
        name: Which.
        train_limit: `data.train_limit`, for a task without a limit of its own.

    Raises:
        InputError: If there is no such task, or it is not about pairs.
    """
    if name not in tasks:
        raise InputError(f"--task is {name!r} (expected one of {', '.join(tasks)})")
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--task", type=Task)
    parsed: Task = parser.instantiate(parser.parse_object({"task": tasks[name]})).task
    task = parsed.with_limits(train=train_limit, dev=None)
    return task if task.generated_pairs is not None else replace(task, generated_pairs=GeneratedPairs())


def group_by_kind(examples: Sequence[Example]) -> dict[str, list[Example]]:
    """Return generated examples by their kind."""
    kinds: dict[str, list[Example]] = {kind: [] for kind in KIND_NAMES}
    for example in examples:
        kinds[example.id.split(":")[1]].append(example)
    return {kind: found for kind, found in kinds.items() if found}


def list_pairs(task: Task, kinds: Mapping[str, Sequence[Example]], most: int) -> Iterator[str]:
    """Yield the lines of some pairs of each kind: number, label and first text, then the second text.

    Args:
        task: Their task.
        kinds: The pairs by kind.
        most: Pairs of each kind at most.
    """
    for kind, examples in kinds.items():
        yield f"\n{kind}: {len(examples):,} pairs"
        for number, example in enumerate(examples[:most], start=1):
            head = f"{number:4} {task.format_label(example.label)}  "
            yield f"{head}{example.texts[0]}"
            yield f"{' ' * len(head)}{example.texts[1]}"
