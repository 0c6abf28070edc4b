"""What a training batch minimises but for regularisers: the task's loss on its labels, and what is added to it."""

from typing import TYPE_CHECKING

from torch import Tensor

from datamodules import TaskBatch
from heads import Head

if TYPE_CHECKING:
    from lightning_modules.multitask import MultitaskModule


def build_objective(
    module: "MultitaskModule", batch: TaskBatch, pooled: Tensor, output: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    """Give what a batch minimises before the tasks' weights, and its terms.

    Args:
        module: The module that made the pass.
        batch: The batch.
        pooled: Vectors of its sequences, (B, S, H).
        output: What its head gave, (B, C) or (B,).

    Returns:
        The objective, and its terms without gradients: `loss` on the labels, and where there are some, with the factor
        that they enter with, `teacher` and `auxiliary`.
    """
    task = module.tasks[batch.task]
    head = module.heads[batch.task]
    assert isinstance(head, Head)
    loss = head.loss(output, batch.labels)
    terms = {"loss": loss}
    objective = loss
    if task.teacher is not None:
        assert batch.teacher is not None  # the data module has read it
        soft = head.soft_loss(output, batch.teacher, task.teacher.temperature)
        terms["teacher"] = task.teacher.weight * soft
        objective = (1 - task.teacher.weight) * loss + terms["teacher"]
    if task.auxiliary:
        found = [each.weight * each.loss(pooled, batch.labels, lambda: module.pool(batch)) for each in task.auxiliary]
        terms["auxiliary"] = sum(found[1:], found[0])
        objective = objective + terms["auxiliary"]
    return objective, {name: term.detach() for name, term in terms.items()}
