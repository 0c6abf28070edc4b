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
    """Return what a batch minimises before the tasks' weights, and its terms.

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
    objective, terms = learn_from_targets(module, batch, output)
    if task.auxiliary:
        found = [each.weight * each.loss(pooled, batch.labels, lambda: module.pool(batch)) for each in task.auxiliary]
        terms["auxiliary"] = sum(found[1:], found[0])
        objective = objective + terms["auxiliary"]
    return objective, {name: term.detach() for name, term in terms.items()}


def learn_from_targets(module: "MultitaskModule", batch: TaskBatch, output: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss on the labels, or where there is a teacher the mixture of that and the loss on its predictions.

    Args:
        module: The module that made the pass.
        batch: The batch.
        output: What its head gave, (B, C) or (B,).

    Returns:
        The loss, and its terms: `loss` on the labels, and `teacher` with its factor.
    """
    teacher, head = module.tasks[batch.task].teacher, module.heads[batch.task]
    assert isinstance(head, Head)
    loss = head.loss(output, batch.labels)
    if teacher is None:
        return loss, {"loss": loss}
    assert batch.teacher is not None  # the data module has read it
    soft = teacher.weight * head.soft_loss(output, batch.teacher, teacher.temperature)
    return (1 - teacher.weight) * loss + soft, {"loss": loss, "teacher": soft}
