"""The interface of loss weightings: from each task's loss to the one that is minimised."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from heads import LabelSpace
from objectives.step_id import StepId


class Weighting(nn.Module, ABC):
    """Joins the losses of some tasks into one; a task's own `weight` multiplies what it gives.

    A batch holds one task, so it is called with that one; the sum over the batches of an accumulation window is the
    joint loss. Adam does not feel a constant factor on all gradients of a parameter: a weight acts on the shared
    backbone, where tasks compete, and not on a head, which feels its own task only (unless gradients are clipped).
    What it remembers is a buffer, and what it learns a parameter, so that both are saved: a resumed training goes on
    with them.

    Args:
        tasks: Labels of each task.

    Attributes:
        follows_losses: Whether `record` wants the losses, which costs a small exchange between processes.
        plain_epochs: Epochs at the start in which all factors are 1.
    """

    follows_losses: ClassVar[bool] = False
    plain_epochs: ClassVar[int] = 0

    def __init__(self, tasks: Mapping[str, LabelSpace]) -> None:
        super().__init__()
        self.tasks = dict(tasks)

    @abstractmethod
    def forward(self, losses: Mapping[str, Tensor], step_id: StepId) -> Tensor:
        """Return the loss to minimise.

        Args:
            losses: What each task of the batch minimises, a mean over the rows of this process, with what teachers,
                pair objectives and regularisers add.
            step_id: When; the batches of one optimiser step share it.
        """

    @abstractmethod
    def factors(self, step_id: StepId) -> dict[str, Tensor]:
        """Return the factor on each task's loss, for the logs and for `forward`."""

    def record(self, task: str, loss: Tensor, epoch: int) -> None:
        """Take note of a loss, after `forward` had that batch.

        Args:
            task: Name of the task.
            loss: Its mean loss on the labels, with nothing added, over the global batch, the same on every process.
            epoch: Number of the epoch, from 0.
        """

    def parameter_groups(self) -> list[dict[str, object]]:
        """Return the optimiser's groups of what the weighting learns; a parameter in none of them is refused."""
        return []


def weighted_sum(losses: Mapping[str, Tensor], factors: Mapping[str, Tensor]) -> Tensor:
    """Return the sum of factor · loss.

    Example:
        >>> weighted_sum({"sst": torch.tensor(2.0)}, {"sst": torch.tensor(0.5), "sts": torch.tensor(9.0)})
        tensor(1.)
    """
    return torch.stack([factors[task] * loss for task, loss in losses.items()]).sum()


# Builds a weighting from the labels of each task.
WeightingFactory = Callable[[Mapping[str, LabelSpace]], Weighting]
