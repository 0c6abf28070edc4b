"""Random weights."""

from collections.abc import Mapping

import torch
from torch import Tensor

from objectives.step_id import StepId
from objectives.weighting import Weighting, weighted_sum


class RandomWeights(Weighting):
    """Random loss weighting: K · softmax of K normal numbers, drawn afresh at each optimiser step.

    A baseline that costs nothing: a method which does not beat it has not balanced anything. The numbers depend on
    (seed, epoch, step) alone; the factor K, the number of tasks, keeps the mean at 1.

    Source: Lin et al. 2022, https://arxiv.org/abs/2111.10603
    """

    def forward(self, losses: Mapping[str, Tensor], step_id: StepId) -> Tensor:
        """Return the weighted sum."""
        return weighted_sum(losses, self.factors(step_id))

    def factors(self, step_id: StepId) -> dict[str, Tensor]:
        """Draw the weights of this step."""
        logits = torch.from_numpy(step_id.draw("weighting").standard_normal(len(self.tasks)))
        weights = len(self.tasks) * logits.softmax(dim=0)
        return dict(zip(self.tasks, weights.float(), strict=True))
