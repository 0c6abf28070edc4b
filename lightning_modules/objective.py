"""What a training batch minimises but for regularisers: the task's loss on its labels, and what is added to it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor

from datamodules import TaskBatch
from heads import Head
from objectives import LossInputs, RandomState
from tasks import InputError, Task

OF_LABELS = frozenset(["loss", "auxiliary"])  # the terms that are means over the labelled rows


class TaskPass(NamedTuple):
    """A task's part of a forward pass that is made.

    Args:
        batch: Its batch.
        pooled: Vectors of its sequences, (B, S, H).
        output: What its head returned for them, (B, C) or (B,).
        before: Batches of the tasks of the same pass whose heads came first.
        random_state: The random numbers as they were right before the pass; None where nobody makes it again.
        progress: Share of the training that lies behind, 0 to 1.
    """

    batch: TaskBatch
    pooled: Tensor
    output: Tensor
    before: tuple[TaskBatch, ...] = ()
    random_state: RandomState | None = None
    progress: float = 0.0


class Term(NamedTuple):
    """A part of a batch's loss, for the logs.

    Args:
        value: Its mean over some rows, or of masked language modelling over the masked tokens, without gradients.
        rows: How many.
    """

    value: Tensor
    rows: int


def rows_of(batch: TaskBatch, term: str) -> int:
    """Count the rows that a term of a batch's loss is a mean over."""
    return batch.num_labelled if term in OF_LABELS else len(batch.rows)


def name_terms(batch: TaskBatch, terms: Mapping[str, Tensor]) -> dict[str, Term]:
    """Return the terms of a batch's loss as the logs want them, by `<task>/<term>`."""
    return {f"{batch.task}/{name}": Term(value, rows_of(batch, name)) for name, value in terms.items()}


def build_objective(
    task: Task, head: Head, made: TaskPass, *, pool_again: Callable[[], Tensor]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return what a batch minimises before the tasks' weights, and its terms.

    Args:
        task: The batch's task.
        head: Its head.
        made: The forward pass of the batch.
        pool_again: Passes the batch through the backbone once more.

    Returns:
        The objective, and its terms without gradients: `loss` on the labels, and where there are some, with the factor
        that they enter with, `teacher` and `auxiliary`.
    """
    batch = made.batch
    objective, terms = learn_from_targets(task, head, batch, made.output, progress=made.progress)
    if task.auxiliary:
        found = _learn_pairs(task, batch, made.pooled, pool_again)
        terms["auxiliary"] = found if batch.label_factor == 1 else found * batch.label_factor
        objective = objective + terms["auxiliary"]
    return objective, {name: term.detach() for name, term in terms.items()}


def _learn_pairs(task: Task, batch: TaskBatch, pooled: Tensor, pool_again: Callable[[], Tensor]) -> Tensor:
    """Return the sum of a task's auxiliary objectives over the labelled examples that count."""

    def keep(values: Tensor) -> Tensor:
        return batch.keep_labelled(values) if batch.weight and batch.num_labelled else values[:0]

    kept, labels = keep(pooled), keep(batch.labels)
    objectives = [each for each in task.auxiliary if len(kept) or each.gathers]
    losses = [
        each.weight * check_scalar(each.loss(kept, labels, lambda: keep(pool_again())), each, "loss")
        for each in objectives
    ]
    return sum(losses, pooled[:0].sum())


def learn_from_targets(
    task: Task, head: Head, batch: TaskBatch, output: Tensor, *, progress: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss on the labels, or where there is a teacher the mixture of that and the loss on its predictions.

    What the task's debiasing changes of either is changed.

    Args:
        task: The batch's task.
        head: Its head.
        batch: The batch.
        output: What the head returned, (B, C) or (B,).
        progress: Share of the training that lies behind, 0 to 1.

    Returns:
        The loss, and its terms: `loss` on the labels, and `teacher` with its factor.
    """
    teacher = task.teacher
    inputs = LossInputs(output, batch.label_weights, batch.teacher)
    if task.debias is not None:
        assert batch.shortcut is not None  # the data module has prepared it
        inputs = task.debias(inputs, batch.shortcut, progress)
    loss = learn_from_labels(head, batch._replace(label_weights=inputs.weights), inputs.output)
    learnt = loss if batch.label_factor == 1 else loss * batch.label_factor
    if teacher is None:
        return learnt, {"loss": loss}
    assert inputs.teacher is not None  # the data module has read it
    soft = teacher.weight * head.soft_loss(output, inputs.teacher, teacher.temperature)
    return (1 - teacher.weight) * learnt + soft, {"loss": loss, "teacher": soft}


def learn_from_labels(head: Head, batch: TaskBatch, output: Tensor) -> Tensor:
    """Return the mean loss over the labelled examples of a batch; 0 where none has a label.

    Args:
        head: The head of its task.
        batch: The batch.
        output: What the head returned, (B, C) or (B,).
    """
    if not batch.num_labelled:
        return output[:0].sum()
    weights = None if batch.label_weights is None else batch.keep_labelled(batch.label_weights)
    loss = head.loss(batch.keep_labelled(output), batch.keep_labelled(batch.labels), weights)
    return check_scalar(loss, head, "loss")


def check_scalar(value: Tensor, source: object, name: str) -> Tensor:
    """Return what a class computed if it is a scalar: the sum over a batch is not the mean that was forgotten.

    Args:
        value: What it computed.
        source: An object of the class.
        name: What is computed.

    Raises:
        InputError: If it is none.
    """
    if value.dim():
        raise InputError(f"{type(source).__name__}: the {name} has shape {list(value.shape)} (expected a scalar)")
    return value
