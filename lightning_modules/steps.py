"""The parts of a training step: passes, what regularisers see of them, and how the tasks' losses count."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor, nn

from datamodules import TaskBatch
from datamodules.streams import Streams
from heads import Head
from lightning_modules.objective import OF_LABELS, TaskPass, check_scalar, learn_from_targets
from objectives import ForwardPass, RandomState, Regularizer, StepId, Weighting, reduce_over_processes
from tasks import Task
from tasks.labels import list_names

log = logging.getLogger(__name__)


def report_own_passes(streams: Streams) -> None:
    """Say which tasks share their rows, but no forward pass, where the backbone has layers of each task.

    Args:
        streams: Which tasks share their rows.
    """
    for names in streams.values():
        if len(names) > 1:
            rank_zero_only(log.info)(
                "tasks %s share batch and step, but take a forward pass each: the adapter has layers of each task",
                list_names(names),
            )


def as_task_passes(
    parts: Sequence[TaskBatch],
    pooled: Sequence[Tensor],
    outputs: Sequence[Tensor],
    random_state: RandomState | None,
    progress: float,
) -> list[TaskPass]:
    """Return a forward pass that some tasks shared as the pass of each.

    Args:
        parts: The batch of each task, in the order in which their heads came.
        pooled: What each head read, (B, S, H).
        outputs: What it returned, (B, C) or (B,).
        random_state: The random numbers as they were right before the pass; None where nobody makes it again.
        progress: Share of the training that lies behind, 0 to 1.
    """
    return [
        TaskPass(part, vectors, output, tuple(parts[:number]), random_state, progress)
        for number, (part, vectors, output) in enumerate(zip(parts, pooled, outputs, strict=True))
    ]


def teach(made: Sequence[TaskPass], tasks: Mapping[str, Task], heads: nn.ModuleDict) -> list[TaskPass]:
    """Return the passes of a step, those of tasks that another task teaches with what that one answers.

    No gradient flows through the answers: probabilities (B, C), or scores (B,).

    Args:
        made: The passes of all tasks of the step.
        tasks: The tasks by name.
        heads: Their heads.
    """
    outputs = {each.batch.task: each.output.detach() for each in made}
    found = []
    for each in made:
        teacher = tasks[each.batch.task].taught_by
        answers = each.batch.teacher if teacher is None else _answer(heads[teacher], outputs[teacher])
        found.append(each._replace(batch=each.batch._replace(teacher=answers)))
    return found


def _answer(head: nn.Module, output: Tensor) -> Tensor:
    assert isinstance(head, Head)
    return head.answer(output)


def as_forward_pass(
    made: TaskPass,
    task: Task,
    head: Head,
    *,
    embedding_size: int,
    forward: Callable[..., Tensor],
    forward_with_past: Callable[..., Tensor] | None,
) -> ForwardPass:
    """Return what regularisers see of a pass that is made.

    Args:
        made: The pass.
        task: Its task.
        head: The task's head.
        embedding_size: Numbers of a token's embedding.
        forward: Makes a pass again: of a batch, with what moves the embeddings, after the batches before it.
        forward_with_past: The same with past weights; None where there are none.
    """
    assert made.random_state is not None
    batch = made.batch
    return ForwardPass(
        output=made.output,
        forward=partial(forward, batch, before=made.before),
        embedded_shape=(batch.tokens.input_ids.numel(), embedding_size),
        loss=lambda repeated: learn_from_targets(task, head, batch, repeated, progress=made.progress)[0],
        divergence=head.divergence,
        random_state=made.random_state,
        forward_with_past=None if forward_with_past is None else partial(forward_with_past, batch, None, made.before),
    )


def regularize(
    objective: Tensor, terms: dict[str, Tensor], clean: ForwardPass, regularizers: Sequence[Regularizer]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return an objective with what regularisers add to it, and its terms with theirs.

    Args:
        objective: What a task's batch minimises without them.
        terms: Its terms.
        clean: The forward pass.
        regularizers: At least one.

    Raises:
        InputError: If a penalty is no scalar.
    """
    penalty = torch.stack([check_scalar(each.penalty(clean), each, "penalty") for each in regularizers]).sum()
    return objective + penalty, {**terms, "regularizer": penalty.detach()}


def weigh(
    weighting: Weighting, batch: TaskBatch, objective: Tensor, terms: Mapping[str, Tensor], step_id: StepId
) -> Tensor:
    """Return a task's part of the loss as a weighting has it, and let the weighting know the task's loss.

    Args:
        weighting: How the tasks' losses become one.
        batch: The task's batch.
        objective: What it minimises.
        terms: The terms of that.
        step_id: The step.
    """
    weighted = check_scalar(weighting({batch.task: objective}, step_id), weighting, "weighted loss")
    if weighting.follows_losses and batch.any_labelled:
        mean = reduce_over_processes(terms["loss"] * (batch.label_factor * batch.weight), "mean")
        weighting.record(batch.task, mean, step_id.epoch)
    return weighted


def factor(task: Task, batch: TaskBatch, terms: Mapping[str, Tensor]) -> float:
    """Return the factor of a task's loss; 0 where the whole batch has nothing that it learns from."""
    learns = batch.any_labelled or bool(terms.keys() - OF_LABELS)
    return task.weight * batch.weight * learns
