"""Regularisers at work on a module's batches."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from datamodules import TaskBatch
from heads import Head
from heads.labels import LabelKind
from heads.outputs import ClassOutput
from objectives import ForwardPass, RandomState, Regularizer, divergence_for
from tasks import InputError, Task

if TYPE_CHECKING:
    from lightning_modules.multitask import MultitaskModule


def penalize(
    regularizer: Regularizer, module: "MultitaskModule", batch: TaskBatch, output: Tensor, before: RandomState
) -> Tensor:
    """Give a regulariser's term for a batch.

    Args:
        regularizer: The regulariser.
        module: The module that made the pass.
        batch: The batch.
        output: What its head gave, (B, C) or (B,).
        before: The random numbers as they were right before that pass.
    """
    head = module.heads[batch.task]
    assert isinstance(head, Head)
    clean = ForwardPass(
        output=output,
        forward=partial(module, batch),
        embedded_shape=(batch.tokens.input_ids.numel(), module.backbone.hidden_size),
        loss=lambda repeated: head.loss(repeated, batch.labels),
        divergence=partial(_diverge, head, module.tasks[batch.task].labels.kind),
        random_state=before,
    )
    return regularizer.penalty(clean)


def _diverge(head: Head, kind: LabelKind, one: Tensor, other: Tensor) -> Tensor:
    """Give how far apart two outputs of a head are, over all its views."""
    firsts, seconds = head.split(one), head.split(other)
    terms = [
        divergence_for(kind)(_as_logits(part, kind, first), _as_logits(part, kind, seconds[view][1]))
        for view, (part, first) in firsts.items()
    ]
    return torch.stack(terms).sum()


def _as_logits(head: Head, kind: LabelKind, output: Tensor) -> Tensor:
    """Give an output as its label kind's divergence reads it: of classes, the logits of a softmax."""
    if kind != "class" or isinstance(head.output, ClassOutput):
        return output
    probabilities = head.probabilities(output)
    assert probabilities is not None  # classes have some
    return probabilities.clamp_min(torch.finfo(probabilities.dtype).tiny).log()


def check_regularizer(regularizer: Regularizer | None, tasks: Mapping[str, Task], *, is_frozen: bool) -> None:
    """Check that a regulariser fits.

    Args:
        regularizer: The regulariser; None for none.
        tasks: The tasks by name.
        is_frozen: Whether the backbone is frozen.

    Raises:
        InputError: If it names a task that there is not, or needs a trained backbone.
    """
    if regularizer is None:
        return
    name = type(regularizer).__name__
    unknown = [task for task in regularizer.tasks or () if task not in tasks]
    if unknown:
        raise InputError(f"{name}: tasks has {', '.join(unknown)} (expected names of tasks: {', '.join(tasks)})")
    if is_frozen and regularizer.needs_gradients:
        raise InputError(f"{name} perturbs the embeddings of a backbone that is trained (freeze_backbone is true)")
