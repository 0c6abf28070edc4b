"""PcGrad: each task's gradient without the part that points against another's."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from objectives.step_id import StepId
from objectives.surgery import Surgery


@dataclass(frozen=True)
class PcGrad(Surgery):
    """g_i loses its projection on g_j, for every j in random order where the two conflict; then all are added.

    The order is drawn from (seed, epoch, step). With more than two tasks the outcome depends on it and may still point
    against one of them; UpGrad has neither property.

    Args:
        reduction: `sum`, as in the paper, equals training without surgery where nothing conflicts; `mean` divides by
            the number of tasks, which Adam does not feel.

    Raises:
        ValueError: If reduction is neither.

    Source: Yu et al. 2020, algorithm 1, https://arxiv.org/abs/2001.06782
    """

    reduction: Literal["sum", "mean"] = "sum"

    def __post_init__(self) -> None:
        if self.reduction not in ("sum", "mean"):
            raise ValueError(f"PcGrad: reduction is {self.reduction!r} (expected 'sum' or 'mean')")

    def coefficients(self, gram: Tensor, step_id: StepId) -> Tensor:
        """Project in coordinates: row i of `parts` holds the multiples of the g_k that make up the projected g_i."""
        num_tasks = len(gram)
        parts = torch.eye(num_tasks, dtype=gram.dtype)
        rng = step_id.draw("surgery")
        for task in range(num_tasks):
            for other in rng.permutation(num_tasks).tolist():
                along = parts[task] @ gram[:, other]
                if other != task and along < 0:
                    parts[task, other] -= along / gram[other, other]
        total = parts.sum(dim=0)
        return total / num_tasks if self.reduction == "mean" else total
