"""The weights as they are written down."""

from collections.abc import Mapping
from functools import reduce

import torch
from torch import Tensor

from objectives.step_id import StepId
from objectives.weighting import Weighting


class Fixed(Weighting):
    """The sum of the losses: only the tasks' own `weight` counts. The default.

    Try tuned weights here before any other method: they were as good in the comparisons below.

    Source: Kurin et al. 2022, https://arxiv.org/abs/2201.04122; Xin et al. 2022, https://arxiv.org/abs/2209.11379
    """

    def forward(self, losses: Mapping[str, Tensor], step_id: StepId) -> Tensor:
        """Return the sum."""
        return reduce(torch.add, losses.values())

    def factors(self, step_id: StepId) -> dict[str, Tensor]:
        """Return ones."""
        return {task: torch.ones(()) for task in self.tasks}
