"""The settings that a resumed training keeps: which of them differ from its checkpoint's, by the names of their flags.

They are read from the hyperparameters, which are plain data (see `hyperparameters.to_plain`); dropout, which a head has
by default, from the modules.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

from tasks import InputError

CLASS = "class_path"
METHODS = ("adapter", "regularizer", "weighting", "surgery")  # of the model
OBJECTIVE_OPTIONS = ("weight", "auxiliary", "debias", "head_only_from")  # of a task
TEACHER_OPTIONS = ("weight", "temperature")  # the files of a teacher are a matter of the data


def select_settings(hparams: Mapping[str, Any], *, optimizer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a resumed training must share with its checkpoint; an older one may lack some.

    Args:
        hparams: The module's hyperparameters, as plain data.
        optimizer: The optimiser's settings by default.
    """
    return {
        "model": {
            "optimizer": {**optimizer, **(hparams.get("optimizer") or {})},
            "linear_probe_epochs": hparams.get("linear_probe_epochs", 0),
            "freeze_backbone": hparams.get("freeze_backbone", False),
            "backbone_dropout": hparams.get("backbone_dropout"),
            **{name: hparams.get(name) for name in METHODS},
        },
        "tasks": {
            name: _select_of_task(task.get("init_args") or {}) for name, task in (hparams.get("tasks") or {}).items()
        },
    }


def _select_of_task(options: Mapping[str, Any]) -> dict[str, Any]:
    teacher = options.get("teacher")
    return {
        **{name: options.get(name) for name in OBJECTIVE_OPTIONS},
        "teacher": teacher and {name: teacher.get(name) for name in TEACHER_OPTIONS},
    }


def list_dropouts(network: nn.Module) -> dict[str, float]:
    """Return the dropout probabilities outside of the backbone, whose own are those of its files, by name."""
    parts = network.named_modules()
    return {name: part.p for name, part in parts if isinstance(part, nn.Dropout) and not name.startswith("backbone.")}


def refuse_changes(old: Any, new: Any, name: str = "") -> None:
    """Check that a resumed training has the settings of its checkpoint; see `describe_differences` for the arguments.

    Raises:
        InputError: If not; the message names each setting that differs, with both values.
    """
    changes = list(describe_differences(old, new, name))
    if changes:
        raise InputError(f"a resumed training keeps the settings of its checkpoint, but was given {'; '.join(changes)}")


def refuse_other_averaging(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> None:
    """Check that a resumed training averages its weights as before.

    Args:
        old: What the checkpoint says of it: the `kind` and its options; None for no average.
        new: What is to average now.

    Raises:
        InputError: If that is something else.
    """
    refuse_changes(_as_choice(old), _as_choice(new), "averaging")


def _as_choice(averaging: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if averaging is None:
        return None
    return {CLASS: averaging["kind"], "init_args": {name: averaging[name] for name in averaging if name != "kind"}}


def describe_differences(old: Any, new: Any, name: str = "") -> Iterator[str]:
    """Name each setting that differs between a checkpoint and now, with both values.

    Args:
        old: Settings of the checkpoint, plain data.
        new: Those of now.
        name: What they are called together.

    Example:
        >>> old = {"head": {"class_path": "heads.Linear", "init_args": {"dropout": 0.1}}, "weight": 1.0}
        >>> new = {"head": {"class_path": "heads.linear.Linear", "init_args": {"dropout": 0.3}}, "weight": None}
        >>> list(describe_differences(old, new, "task"))
        ['task.head.dropout: 0.3 (the checkpoint: 0.1)', 'task.weight: null (the checkpoint: 1.0)']
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping) and _class_of(old) == _class_of(new):
        before, now = (each.get("init_args") or {} if CLASS in each else each for each in (old, new))
        for key in {**before, **now}:
            yield from describe_differences(before.get(key), now.get(key), f"{name}.{key}" if name else key)
    elif _are_lists_of_choices(old, new):
        for place, (before, now) in enumerate(zip(old, new, strict=True)):
            yield from describe_differences(before, now, f"{name}[{place}]")
    elif old != new:
        yield f"{name}: {_show(new)} (the checkpoint: {_show(old)})"


def _are_lists_of_choices(old: Any, new: Any) -> bool:
    """Whether both are lists of as many settings with names, not of plain values."""
    lists = isinstance(old, list | tuple) and isinstance(new, list | tuple) and len(old) == len(new)
    return lists and all(isinstance(entry, Mapping) for entry in (*old, *new))


def _class_of(value: Mapping[str, Any]) -> str | None:
    """Return the name of a class alone: one may be imported from several places."""
    return str(value[CLASS]).rpartition(".")[2] if CLASS in value else None


def _show(value: Any) -> str:
    """Return plain data as YAML has it in one line; of a class its name."""
    if isinstance(value, Mapping):
        name = _class_of(value)
        return name or f"{{{', '.join(f'{key}: {_show(entry)}' for key, entry in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_show, value))}]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
