"""Settings that would train without an effect: refused, or told, before the first step."""

import logging
from collections.abc import Mapping, Sequence

import lightning.pytorch as L
from lightning.pytorch.utilities import rank_zero_only
from torch import nn

from backbones import Backbone
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
    users: list[Regularizer | PairObjective] = [*regularizers]
    for each in [*users, *(objective for task in tasks.values() for objective in task.auxiliary)]:
        dropped = of_backbone or (isinstance(each, Regularizer) and any(map(_has_dropout, others)))
        if each.needs_dropout and not dropped:
            where = "the backbone has none" if isinstance(each, PairObjective) else "backbone and heads have none"
            raise InputError(f"{type(each).__name__} compares passes under different dropout, but {where}")


def check_joined(surgery: Surgery, tasks: Mapping[str, Task]) -> None:
    """Refuse surgery where fewer than two tasks train the backbone.

    Raises:
        InputError: If so.
    """
    training = [name for name, task in tasks.items() if task.head_only_from != 0]
    if len(training) < 2:
        raise InputError(
            f"{type(surgery).__name__} joins gradients of several tasks, but only {len(training)} of "
            f"{len(tasks)} trains the backbone (expected two or more)"
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
