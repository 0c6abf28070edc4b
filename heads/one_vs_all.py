"""An output for classes that asks of each class alone whether it is the one."""

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from heads.distributions import average_log_probabilities, teacher_divergence
from heads.divergences import probability_divergence
from heads.outputs import OutputKind
from heads.precision import widen


@dataclass(frozen=True)
class OneVsAllOutput(OutputKind):
    """One of C classes by C yes/no questions: the loss is the sum of their binary cross-entropies.

    Args:
        num_values: Number of classes.

    Source: Lin & Le 2024 (their dual-objective cross-entropy); Rifkin & Klautau 2004.
    """

    num_values: int

    def from_raw(self, raw: Tensor) -> Tensor:
        """Logits as they are, (B, C)."""
        return raw

    def loss(self, output: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """Mean over the batch of the sum over the classes; labels are class indices (B,)."""
        output = widen(output)
        target = F.one_hot(labels, self.num_values).to(output.dtype)
        if weights is None:
            return F.binary_cross_entropy_with_logits(output, target, reduction="sum") / output.shape[0]
        losses = F.binary_cross_entropy_with_logits(output, target, reduction="none").sum(dim=1)  # (B,)
        return (losses * weights).mean()

    def predict(self, output: Tensor) -> Tensor:
        """Index of the largest logit, (B,)."""
        return output.argmax(dim=1)

    def probabilities(self, output: Tensor) -> Tensor:
        """Sigmoids divided by their sum, (B, C)."""
        return _log_probabilities(output).exp()

    def average(self, outputs: Tensor) -> Tensor:
        """Logits whose sigmoids are the mean probabilities, (M, B, C) to (B, C)."""
        mean = average_log_probabilities(_log_probabilities(outputs))
        others = mean[:, None, :].expand(-1, self.num_values, -1).clone()  # (B, C, C)
        others.diagonal(dim1=1, dim2=2).fill_(float("-inf"))
        return mean - others.logsumexp(dim=2)  # odds of class i to all the others

    def soft_loss(self, output: Tensor, target: Tensor, temperature: float) -> Tensor:
        """Mean KL divergence from the teacher's probabilities (B, C)."""
        return teacher_divergence(_log_probabilities(output), target, temperature)

    def divergence(self, one: Tensor, other: Tensor) -> Tensor:
        """Symmetric KL divergence of the class probabilities."""
        return probability_divergence(self.probabilities(one), self.probabilities(other))


def _log_probabilities(logits: Tensor) -> Tensor:
    return F.logsigmoid(widen(logits)).log_softmax(dim=-1)
