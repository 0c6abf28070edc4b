"""UpGrad: the gradients nearest to the tasks' own that point against none of them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor

from objectives.step_id import StepId
from objectives.surgery import Surgery


@dataclass(frozen=True)
class UpGrad(Surgery):
    """g_i becomes the nearest vector whose inner product with every g_j is at least 0; then all are added.

    Chosen beside PcGrad because it does what that one sets out to do: for two tasks both are equal, for more the result
    provably conflicts with no task, does not depend on a random order, and a task's gradient that conflicts with none
    stays as it is. It has no hyperparameter, where CAGrad has a radius, and keeps the tasks' scales, where IMTL-G and
    Aligned-MTL make them alike, so that `weight` still means what it says. A small least-squares problem for each task
    is solved exactly, which costs microseconds.

    Args:
        reduction: `sum` equals training without surgery where nothing conflicts; `mean` (the paper's) divides by the
            number of tasks, which Adam does not feel.

    Raises:
        ValueError: If reduction is neither.

    Source: Quinton & Rey 2024, section 3.2, https://arxiv.org/abs/2406.16232
    """

    reduction: Literal["sum", "mean"] = "sum"

    def __post_init__(self) -> None:
        if self.reduction not in ("sum", "mean"):
            raise ValueError(f"UpGrad: reduction is {self.reduction!r} (expected 'sum' or 'mean')")

    def coefficients(self, gram: Tensor, step_id: StepId) -> Tensor:
        """Solve min |root (e_i + w)|², w >= 0, for each task, root' root = gram: the dual of the projection."""
        values, vectors = np.linalg.eigh(gram.numpy())
        scale = max(float(values[-1]), np.finfo(np.float64).tiny)
        root = np.sqrt(np.maximum(values, 0.0) / scale)[:, None] * vectors.T  # (K, K)
        total = sum(np.eye(len(root))[task] + nnls(root, -root[:, task])[0] for task in range(len(root)))
        return torch.from_numpy(np.asarray(total)) / (len(root) if self.reduction == "mean" else 1)
