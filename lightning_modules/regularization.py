"""Regularisers at work on a module's batches."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from torch import Tensor

from datamodules import TaskBatch
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
    loss: Callable[..., Tensor] = head.loss  # type: ignore[assignment]
    clean = ForwardPass(
        output=output,
        forward=partial(module, batch),
        embedded_shape=(batch.tokens.input_ids.numel(), module.backbone.hidden_size),
        loss=lambda repeated: loss(repeated, batch.labels),
        divergence=divergence_for(module.tasks[batch.task].labels.kind),
        random_state=before,
    )
    return regularizer.penalty(clean)


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
