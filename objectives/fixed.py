"""The weights as they are written down."""

from collections.abc import Mapping
from functools import reduce

import torch
from torch import Tensor

from objectives.moment import Moment
from objectives.weighting import Weighting


class Fixed(Weighting):
    """The sum of the losses: only the tasks' own `weight` counts. The default.

    Try tuned weights here before any other method: they were as good in the comparisons below.

    Source: Kurin et al. 2022, https://arxiv.org/abs/2201.04122; Xin et al. 2022, https://arxiv.org/abs/2209.11379
    """

    def forward(self, losses: Mapping[str, Tensor], moment: Moment) -> Tensor:
        """Give the sum."""
        return reduce(torch.add, losses.values())

    def factors(self, moment: Moment) -> dict[str, Tensor]:
        """Give ones."""
        return {task: torch.ones(()) for task in self.tasks}
