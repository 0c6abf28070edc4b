"""What a training batch minimises but for regularisers: the task's loss on its labels, and what is added to it."""

from collections.abc import Callable

from torch import Tensor

from datamodules import TaskBatch
from heads import Head
from objectives import LossInputs
from tasks import Task


def build_objective(
    task: Task,
    head: Head,
    batch: TaskBatch,
    pooled: Tensor,
    output: Tensor,
    *,
    progress: float,
    pool_again: Callable[[], Tensor],
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return what a batch minimises before the tasks' weights, and its terms.

    Args:
        task: The batch's task.
        head: Its head.
        batch: The batch.
        pooled: Vectors of its sequences, (B, S, H).
        output: What the head returned for them, (B, C) or (B,).
        progress: Share of the training that lies behind, 0 to 1.
        pool_again: Passes the batch through the backbone once more.

    Returns:
        The objective, and its terms without gradients: `loss` on the labels, and where there are some, with the factor
        that they enter with, `teacher` and `auxiliary`.
    """
    objective, terms = learn_from_targets(task, head, batch, output, progress=progress)
    if task.auxiliary:
        found = [each.weight * each.loss(pooled, batch.labels, pool_again) for each in task.auxiliary]
        terms["auxiliary"] = sum(found[1:], found[0])
        objective = objective + terms["auxiliary"]
    return objective, {name: term.detach() for name, term in terms.items()}


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
    weights = None if inputs.weights is None else batch.keep_labelled(inputs.weights)
    loss = head.loss(batch.keep_labelled(inputs.output), batch.keep_labelled(batch.labels), weights)
    if teacher is None:
        return loss, {"loss": loss}
    assert inputs.teacher is not None  # the data module has read it
    soft = teacher.weight * head.soft_loss(output, inputs.teacher, teacher.temperature)
    return (1 - teacher.weight) * loss + soft, {"loss": loss, "teacher": soft}
