"""Thresholds of labels that were tuned on a run's dev split (`python -m analysis.thresholds`)."""

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from torch import nn

from heads import Head, LabelSetOutput
from tasks import InputError, Task
from tasks.multi_label import LabelSetTask

log = logging.getLogger(__name__)

FILE = "thresholds.json"
Thresholds = Mapping[str, Mapping[str, float]]  # by task and label


def thresholds_file(checkpoint: Path) -> Path:
    """Return where the thresholds of a checkpoint are kept: in the run that wrote it."""
    return checkpoint.absolute().parent.parent / FILE


def read_thresholds(checkpoint: Path) -> Thresholds:
    """Return the thresholds that belong to a checkpoint; none where its run has no file of them.

    They are of the weights that they were tuned with: another checkpoint of the run goes without, which the log tells.

    Args:
        checkpoint: A checkpoint file of a run.

    Raises:
        InputError: If the file of thresholds cannot be read.
    """
    path = thresholds_file(checkpoint)
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        tuned = {name: dict(task["thresholds"]) for name, task in found["tasks"].items()}
        own = str(found["checkpoint"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not what analysis.thresholds writes ({type(error).__name__}: {error})") from None
    if own != checkpoint.name:
        log.warning("%s: not used, its thresholds are those of %s", path, own)
        return {}
    log.info("thresholds of %s: %s", ", ".join(tuned) or "no task", path)
    return tuned


def with_thresholds(tasks: Mapping[str, Task], thresholds: Thresholds) -> dict[str, Task]:
    """Return tasks that predict with tuned thresholds, where there are some.

    Raises:
        InputError: If a threshold is of a label that the task does not have.
    """
    return {name: _tune(task, thresholds[name]) if name in thresholds else task for name, task in tasks.items()}


def _tune(task: Task, thresholds: Mapping[str, float]) -> Task:
    if not isinstance(task, LabelSetTask):
        raise InputError(f"{FILE}: has thresholds of a task with {task.labels.plural} (expected sets of labels)")
    return replace(task, thresholds=dict(thresholds))


def find_thresholds(heads: nn.ModuleDict, tasks: Mapping[str, Task]) -> Thresholds:
    """Return the thresholds that heads predict with, of the tasks with sets of labels."""
    found = {}
    for name, task in tasks.items():
        output = getattr(heads[name], "output", None)
        if isinstance(output, LabelSetOutput):
            found[name] = dict(zip(task.class_names, output.thresholds, strict=True))
    return found


def use_thresholds(heads: nn.ModuleDict, tasks: Mapping[str, Task], thresholds: Thresholds) -> None:
    """Let heads that are built already predict with tuned thresholds.

    Args:
        heads: By task, changed in place.
        tasks: The tasks by name.
        thresholds: By task and label.
    """
    chosen = {name: task for name, task in tasks.items() if name in thresholds}
    for name, task in with_thresholds(chosen, thresholds).items():
        tuned, head = task.labels.usual_output(), heads[name]
        assert isinstance(head, Head)
        assert isinstance(tuned, LabelSetOutput)
        assert isinstance(head.output, LabelSetOutput)
        head.output = replace(head.output, thresholds=tuned.thresholds)
