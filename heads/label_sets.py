"""An output for examples that have any number of labels: a yes/no question a label."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from heads.cross_entropy import binary_cross_entropy
from heads.distributions import average_log_probabilities, teacher_divergence, yes_no
from heads.divergences import binary_divergence
from heads.outputs import OutputKind
from heads.precision import widen


@dataclass(frozen=True)
class LabelSetOutput(OutputKind):
    """Any of C labels, each with a logit of its own; the loss is the mean binary cross-entropy over rows and labels.

    Args:
        num_values: Number of labels.
        thresholds: Probability above which each label is predicted, [C].
        label_smoothing: See CrossEntropy.
        gamma: See FocalLoss; 0 for cross-entropy.
    """

    squashing: ClassVar[Literal["softmax", "sigmoid"] | None] = "sigmoid"
    num_values: int
    thresholds: tuple[float, ...]
    label_smoothing: float = 0.0
    gamma: float = 0.0

    def meaning(self) -> dict[str, Any]:
        """Of all but the thresholds, which may be tuned afterwards."""
        return {name: value for name, value in super().meaning().items() if name != "thresholds"}

    def from_raw(self, raw: Tensor) -> Tensor:
        """Logits as they are, (B, C)."""
        return raw

    def loss(self, output: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """Mean loss; labels are 0 or 1 and weights those of the labels, (B, C)."""
        return binary_cross_entropy(
            output, labels, label_smoothing=self.label_smoothing, gamma=self.gamma, weights=weights
        )

    def predict(self, output: Tensor) -> Tensor:
        """1 where the probability of a label exceeds its threshold, (B, C)."""
        return (self.probabilities(output) > torch.tensor(self.thresholds, device=output.device)).long()

    def probabilities(self, output: Tensor) -> Tensor:
        """Sigmoids, (B, C); those of a row have any sum."""
        return widen(output).sigmoid()

    def average(self, outputs: Tensor) -> Tensor:
        """Logits of the mean probabilities, (M, B, C) to (B, C)."""
        no, yes = average_log_probabilities(yes_no(outputs)).unbind(dim=-1)  # (B, C) each
        return yes - no

    def soft_loss(self, output: Tensor, target: Tensor, temperature: float) -> Tensor:
        """Mean KL divergence from the teacher's probabilities (B, C), each label's no and yes."""
        wanted = widen(target).flatten()
        shares = torch.stack([1 - wanted, wanted], dim=1)  # (B * C, 2)
        return teacher_divergence(yes_no(output).flatten(0, 1), shares, temperature)

    def divergence(self, one: Tensor, other: Tensor) -> Tensor:
        """Mean symmetric KL divergence of no and yes."""
        return binary_divergence(one, other)
