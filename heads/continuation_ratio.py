"""An output for classes that stand in an order: a ladder of yes/no questions, "at least one rung higher?"."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from heads.distributions import average_log_probabilities, teacher_divergence
from heads.divergences import probability_divergence
from heads.outputs import OutputKind
from heads.precision import widen
from heads.weighting import weigh


@dataclass(frozen=True)
class ContinuationRatioOutput(OutputKind):
    """Ordered classes by C - 1 logits of P(class > k | class >= k); the loss is -log of the class's probability.

    The probabilities of the classes follow from the logits, sum to 1 and P(class > k) falls with k for any logits, so
    the thresholds never contradict each other. The prediction is the most probable class.

    Args:
        num_classes: Number of classes (C).

    Source: Shi et al. 2021 (CORN), https://arxiv.org/abs/2111.08851; as here each example counts once, the loss is the
        likelihood of the continuation-ratio model, Tutz 1991.
    """

    num_classes: int

    @property
    def num_values(self) -> int:  # type: ignore[override]
        """One logit between each two neighbouring classes."""
        return self.num_classes - 1

    def from_raw(self, raw: Tensor) -> Tensor:
        """Logits as they are, (B, C - 1)."""
        return raw

    def loss(self, output: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """Mean negative log-likelihood; labels are class indices (B,)."""
        found = partial(F.nll_loss, continuation_log_probabilities(output), labels)
        return weigh(lambda reduction: found(reduction=reduction), weights)

    def predict(self, output: Tensor) -> Tensor:
        """Index of the most probable class, (B,)."""
        return continuation_log_probabilities(output).argmax(dim=1)

    def probabilities(self, output: Tensor) -> Tensor:
        """Probability of each class, (B, C)."""
        return continuation_log_probabilities(output).exp()

    def average(self, outputs: Tensor) -> Tensor:
        """Logits whose class probabilities are the means, (M, B, C - 1) to (B, C - 1)."""
        mean = average_log_probabilities(continuation_log_probabilities(outputs))
        at_least = mean.flip(1).logcumsumexp(dim=1).flip(1)  # log P(class >= k)
        return at_least[:, 1:] - mean[:, :-1]  # odds of P(class > k) to P(class = k)

    def soft_loss(self, output: Tensor, target: Tensor, temperature: float) -> Tensor:
        """Mean KL divergence from the teacher's probabilities (B, C)."""
        return teacher_divergence(continuation_log_probabilities(output), target, temperature)

    def divergence(self, one: Tensor, other: Tensor) -> Tensor:
        """Symmetric KL divergence of the class probabilities."""
        return probability_divergence(self.probabilities(one), self.probabilities(other))


def continuation_log_probabilities(logits: Tensor) -> Tensor:
    """Return log p(class) from the logits of P(class > k | class >= k), k = 0 to C - 2.

    Args:
        logits: (..., C - 1).

    Returns:
        (..., C); the probabilities of a row sum to 1 whatever the logits are.
    """
    logits = widen(logits)
    none = logits.new_zeros(*logits.shape[:-1], 1)
    reached = torch.cat([none, F.logsigmoid(logits).cumsum(dim=-1)], dim=-1)  # (..., C), log P(class >= k)
    ended = torch.cat([F.logsigmoid(-logits), none], dim=-1)  # (..., C), log P(class = k | class >= k)
    return reached + ended
