"""What the numbers of a module mean, kept in its checkpoints and asked for when one is loaded."""

import logging
from collections.abc import Mapping
from typing import Any

from lightning.pytorch.utilities import rank_zero_only
from torch import nn

from backbones import Backbone
from heads import Head
from tasks import Task
from tasks.meaning import TASKS, compare_meaning

log = logging.getLogger(__name__)


def model_meaning(backbone: Backbone, tasks: Mapping[str, Task], heads: nn.ModuleDict) -> dict[str, Any]:
    """Return what the numbers of a model depend on beside its weights, as plain data.

    Args:
        backbone: The backbone.
        tasks: The tasks by name.
        heads: Their heads.
    """
    return {"backbone": backbone.meaning(), TASKS: describe_tasks(tasks, heads)}


def describe_tasks(tasks: Mapping[str, Task], heads: nn.ModuleDict) -> dict[str, dict[str, Any]]:
    """Return by task what the numbers of its head depend on."""
    described = {}
    for name, task in tasks.items():
        head = heads[name]
        assert isinstance(head, Head)
        described[name] = {**task.meaning(), "head": head.meaning()}
    return described


def compare_with_checkpoint(checkpoint: Mapping[str, Any], meaning: Mapping[str, Any], *, otherwise: str = "") -> None:
    """Check that a checkpoint's numbers mean what the settings around it say, and tell what may differ.

    Args:
        checkpoint: A Lightning checkpoint.
        meaning: The module's.
        otherwise: As for `compare_meaning`.

    Raises:
        InputError: If they mean something else; the message names the difference.
    """
    if "meaning" not in checkpoint:
        rank_zero_only(log.warning)(
            "the checkpoint does not say what its numbers mean, an earlier version wrote it: classes, columns, pooling "
            "and backbone are taken to be those of its training"
        )
        return
    other_conditions = compare_meaning(checkpoint["meaning"], meaning, otherwise=otherwise)
    if other_conditions:
        rank_zero_only(log.warning)(other_conditions)
