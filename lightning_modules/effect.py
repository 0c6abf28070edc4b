"""Settings that would train without an effect: refused, or told, before the first step."""

import logging
from collections.abc import Mapping, Sequence

import lightning.pytorch as L
from lightning.pytorch.utilities import rank_zero_only
from torch import nn

from backbones import Backbone
from datamodules.streams import Streams
from objectives import PairObjective, Regularizer, Surgery, Weighting
from tasks import InputError, Task

log = logging.getLogger(__name__)


def check_dropout(
    backbone: Backbone, others: Sequence[nn.Module], regularizers: Sequence[Regularizer], tasks: Mapping[str, Task]
) -> None:
    """Refuse what compares passes under different dropout masks where nothing has dropout.

    Args:
        backbone: The backbone, on whose vectors pair objectives work.
        others: What follows it: trunk and heads.
        regularizers: The regularisers of the training.
        tasks: The tasks, with their pair objectives.

    Raises:
        InputError: If all passes would be equal.
    """
    of_backbone = not backbone.frozen and (_has_dropout(backbone) or _names_dropout(backbone))
    objectives = (objective for task in tasks.values() for objective in task.auxiliary)
    users: list[Regularizer | PairObjective] = [*regularizers, *objectives]
    for each in users:
        dropped = of_backbone or (isinstance(each, Regularizer) and any(map(_has_dropout, others)))
        if each.needs_dropout and not dropped:
            where = "the backbone has none" if isinstance(each, PairObjective) else "backbone and heads have none"
            raise InputError(f"{type(each).__name__} compares passes under different dropout, but {where}")


def check_surgery(
    surgery: Surgery,
    tasks: Mapping[str, Task],
    streams: Streams,
    *,
    window: int,
    is_frozen: bool,
    is_compiled: bool,
) -> None:
    """Refuse surgery that has no gradients of several tasks to join.

    Args:
        surgery: The method.
        tasks: The tasks by name.
        streams: Which tasks share their rows.
        window: Batches of an optimiser step.
        is_frozen: Whether the backbone is frozen.
        is_compiled: Whether the encoder is compiled.

    Raises:
        InputError: If fewer than two tasks train the backbone, each optimiser step is of one task, or what is
            compiled, and allows one backward pass, would have one of each task.
    """
    name = type(surgery).__name__
    training = sum(task.head_only_from != 0 for task in tasks.values())
    if training < 2:
        raise InputError(
            f"{name} joins gradients of several tasks, but only {training} of {len(tasks)} trains the backbone "
            "(expected two or more)"
        )
    if is_frozen:
        raise InputError(f"{name} joins gradients of the backbone, but freeze_backbone is true")
    joint = any(len(sharing) > 1 for sharing in streams.values())
    if joint and is_compiled:
        raise InputError(
            f"{name} makes a backward pass for each of the tasks that share their rows, and what model.compile "
            "compiles allows one (expected model.compile none or --data.share_rows false)"
        )
    if window == 1 and not joint:
        raise InputError(
            f"{name} compares the tasks of an optimiser step, but each has one batch of one task (expected tasks "
            "that share their rows, --data.schedule Joint or --trainer.accumulate_grad_batches of more than 1)"
        )


def report_plain_weighting(weighting: Weighting, trainer: L.Trainer) -> None:
    """Say it if a training ends before its weighting weighs anything."""
    epochs = trainer.max_epochs or 0
    if 0 < epochs <= weighting.plain_epochs:
        rank_zero_only(log.warning)(
            "%s: all weights are 1 in the first %d epochs, and this training has no more (trainer.max_epochs is %d)",
            type(weighting).__name__,
            weighting.plain_epochs,
            epochs,
        )


def _has_dropout(part: nn.Module) -> bool:
    return any(isinstance(module, nn.Dropout) and module.p > 0 for module in part.modules())


def _names_dropout(backbone: Backbone) -> bool:
    """Whether the encoder's configuration has dropout, which some encoders apply without a module of it."""
    settings = backbone.bert.config.to_dict()
    return any("dropout" in name and isinstance(value, float) and value > 0 for name, value in settings.items())
