"""Weights learnt from each task's noise."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from heads import LabelSpace
from objectives.step_id import StepId
from objectives.weighting import Weighting, weighted_sum


class Uncertainty(Weighting):
    """Uncertainty weighting: exp(-s) · loss + s / 2 for classes and yes/no, exp(-s) · loss / 2 + s / 2 for scores.

    s is the logarithm of the task's noise variance, learnt, 0 at first. It settles where exp(-s) is 1 / (2 · loss) or
    1 / loss: tasks with small losses gain weight, and go on gaining it while the training set is being learnt by heart.
    The s are an optimiser group of their own without decay, and are left out when gradients are clipped. A task's s
    is idle while other tasks are trained.

    Args:
        tasks: Labels of each task.
        lr: Learning rate of the s at the top of the schedule. A backbone's rate would leave them at 0: with Adam, s
            moves by about lr a step.

    Raises:
        ValueError: If lr is negative.

    Source: Kendall, Gal & Cipolla 2018, equations 7 and 10, https://arxiv.org/abs/1705.07115
    """

    def __init__(self, tasks: Mapping[str, LabelSpace], *, lr: float = 1e-2) -> None:
        super().__init__(tasks)
        if lr < 0:
            raise ValueError(f"Uncertainty: lr is {lr} (expected 0 or more)")
        self.lr = lr
        self.log_variances = nn.ParameterDict({task: nn.Parameter(torch.zeros(())) for task in tasks})

    def forward(self, losses: Mapping[str, Tensor], step_id: StepId) -> Tensor:
        """Return the negative log likelihood, up to a constant."""
        penalties = torch.stack([self.log_variances[task] / 2 for task in losses])
        return weighted_sum(losses, self.factors(step_id)) + penalties.sum()

    def factors(self, step_id: StepId) -> dict[str, Tensor]:
        """Return exp(-s), half of it for scores."""
        return {task: (-self.log_variances[task]).exp() * labels.noise_factor for task, labels in self.tasks.items()}

    def parameter_groups(self) -> list[dict[str, object]]:
        """Return the group of the s."""
        return [
            {"name": "weighting", "params": list(self.log_variances.parameters()), "lr": self.lr, "weight_decay": 0.0}
        ]
