"""What a head's output means: its loss, its prediction in label units and its probabilities."""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, is_dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from heads.correlation import pearson
from heads.cross_entropy import binary_cross_entropy, class_cross_entropy
from heads.distributions import average_log_probabilities, teacher_divergence, yes_no
from heads.divergences import binary_divergence, class_divergence, score_divergence
from heads.ordinal import ordinal_log_loss
from heads.precision import widen
from heads.weighting import weigh


class OutputKind(ABC):
    """How raw values become an output, a loss and a prediction.

    Attributes:
        num_values: Raw values that a head computes for one example: C for classes, or C - 1 for a ladder of them; 1 for
            yes/no and scores.
        squashing: The standard function that makes probabilities of classes, or the share of a score's range, of the
            raw values; None if there is none.
    """

    num_values: int
    squashing: ClassVar[Literal["softmax", "sigmoid"] | None] = None

    def meaning(self) -> dict[str, Any]:
        """Return what loss and prediction depend on, as plain data: the class and, of a dataclass, its fields."""
        return {"class": type(self).__name__, **(asdict(self) if is_dataclass(self) else {})}

    @abstractmethod
    def from_raw(self, raw: Tensor) -> Tensor:
        """Turn raw values (B, num_values) into the head's output: the same, or (B,) where there is one value."""

    @abstractmethod
    def loss(self, output: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """Mean loss over the batch, a scalar; labels are (B,), or (B, C) of sets, and so are weights of labels."""

    @abstractmethod
    def predict(self, output: Tensor) -> Tensor:
        """Predicted labels in label units, (B,)."""

    @abstractmethod
    def probabilities(self, output: Tensor) -> Tensor | None:
        """Probability of each class, (B, C); None where the label is a score."""

    @abstractmethod
    def average(self, outputs: Tensor) -> Tensor:
        """Return the output whose probabilities (or scores) are the means of M outputs', (M, B, ...) to (B, ...)."""

    @abstractmethod
    def soft_loss(self, output: Tensor, target: Tensor, temperature: float) -> Tensor:
        """Mean difference to a teacher's probabilities (B, C) or scores (B,), a scalar."""

    @abstractmethod
    def divergence(self, one: Tensor, other: Tensor) -> Tensor:
        """How far apart two outputs are, a scalar; 0 where they are equal, with gradients to both."""


@dataclass(frozen=True)
class ClassOutput(OutputKind):
    """One of C classes, from a softmax.

    Args:
        num_values: Number of classes.
        alpha: Power of the distance in the ordinal log loss (see OrdinalLogLoss); None for cross-entropy.
        label_smoothing: Share of the label that all classes get alike (see CrossEntropy).
        gamma: Power of the focal loss (see FocalLoss); 0 for cross-entropy.
    """

    squashing: ClassVar[Literal["softmax", "sigmoid"] | None] = "softmax"
    num_values: int
    alpha: float | None = None
    label_smoothing: float = 0.0
    gamma: float = 0.0

    def from_raw(self, raw: Tensor) -> Tensor:
        """Logits as they are, (B, C)."""
        return raw

    def loss(self, output: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """Mean cross-entropy, focal or ordinal log loss; labels are class indices (B,)."""
        if self.alpha is not None:
            return ordinal_log_loss(output, labels, alpha=self.alpha, weights=weights)
        return class_cross_entropy(
            output, labels, label_smoothing=self.label_smoothing, gamma=self.gamma, weights=weights
        )

    def predict(self, output: Tensor) -> Tensor:
        """Index of the largest logit, (B,)."""
        return output.argmax(dim=1)

    def probabilities(self, output: Tensor) -> Tensor:
        """Softmax, (B, C)."""
        return widen(output).softmax(dim=1)

    def average(self, outputs: Tensor) -> Tensor:
        """Logarithm of the mean softmax, (M, B, C) to (B, C)."""
        return average_log_probabilities(widen(outputs).log_softmax(dim=2))

    def soft_loss(self, output: Tensor, target: Tensor, temperature: float) -> Tensor:
        """Mean KL divergence from the teacher's probabilities (B, C)."""
        return teacher_divergence(widen(output).log_softmax(dim=1), target, temperature)

    def divergence(self, one: Tensor, other: Tensor) -> Tensor:
        """Symmetric KL divergence of the softmax."""
        return class_divergence(one, other)


@dataclass(frozen=True)
class BinaryOutput(OutputKind):
    """No or yes, from one logit.

    Args:
        criterion: `bce` for binary cross-entropy on the logit; `l1` for the mean absolute difference between
            the sigmoid and the label, the paper's choice for its head B1.
        label_smoothing: Share of the label that no and yes get alike (see CrossEntropy).
        gamma: Power of the focal loss (see FocalLoss); 0 for cross-entropy.
    """

    squashing: ClassVar[Literal["softmax", "sigmoid"] | None] = "sigmoid"
    criterion: Literal["bce", "l1"] = "bce"
    label_smoothing: float = 0.0
    gamma: float = 0.0
    num_values = 1

    def from_raw(self, raw: Tensor) -> Tensor:
        """One logit an example, (B,)."""
        return raw.squeeze(1)  # (B,)

    def loss(self, output: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """Mean loss; labels are 0 or 1, (B,)."""
        if self.criterion == "l1":
            shares = widen(output).sigmoid()
            found = partial(F.l1_loss, shares, labels.to(shares.dtype))
            return weigh(lambda reduction: found(reduction=reduction), weights)
        return binary_cross_entropy(
            output, labels, label_smoothing=self.label_smoothing, gamma=self.gamma, weights=weights
        )

    def predict(self, output: Tensor) -> Tensor:
        """1 where the probability of yes exceeds one half, (B,)."""
        return (output > 0).long()

    def probabilities(self, output: Tensor) -> Tensor:
        """Probabilities of no and yes, (B, 2)."""
        yes = widen(output).sigmoid()
        return torch.stack([1 - yes, yes], dim=1)  # (B, 2)

    def average(self, outputs: Tensor) -> Tensor:
        """Logit of the mean probability of yes, (M, B) to (B,)."""
        no, yes = average_log_probabilities(yes_no(outputs)).unbind(dim=1)  # (B,) each
        return yes - no

    def soft_loss(self, output: Tensor, target: Tensor, temperature: float) -> Tensor:
        """Mean KL divergence from the teacher's probabilities of no and yes (B, 2)."""
        return teacher_divergence(yes_no(output), target, temperature)

    def divergence(self, one: Tensor, other: Tensor) -> Tensor:
        """Symmetric KL divergence of no and yes."""
        return binary_divergence(one, other)


@dataclass(frozen=True)
class ScoreOutput(OutputKind):
    """A real number between two ends; the output is already in label units.

    Args:
        low: Smallest label.
        high: Largest label.
        criterion: `mse` for the mean squared difference; `l1` for the mean absolute one.
        correlation: Share of the loss that is 1 - Pearson's correlation over the batch (see Correlation), 0 to 1.
    """

    squashing: ClassVar[Literal["softmax", "sigmoid"] | None] = "sigmoid"
    low: float
    high: float
    criterion: Literal["mse", "l1"] = "mse"
    correlation: float = 0.0
    num_values = 1

    def from_raw(self, raw: Tensor) -> Tensor:
        """Squash one raw value with a sigmoid onto [low, high], (B,)."""
        share = widen(raw.squeeze(1)).sigmoid()  # (B,)
        return self.low + (self.high - self.low) * share

    def loss(self, output: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """Mean loss in (squared) label units; labels are scores (B,)."""
        output = widen(output)
        found = partial(F.l1_loss if self.criterion == "l1" else F.mse_loss, output, labels.to(output.dtype))
        difference = weigh(lambda reduction: found(reduction=reduction), weights)
        if self.correlation == 0:
            return difference
        assert weights is None  # who weighs rows has refused a correlation
        return self.correlation * (1 - pearson(output, labels)) + (1 - self.correlation) * difference

    def predict(self, output: Tensor) -> Tensor:
        """The scores themselves, (B,)."""
        return output

    def probabilities(self, output: Tensor) -> None:
        """A score has none."""
        return None

    def average(self, outputs: Tensor) -> Tensor:
        """Mean score, (M, B) to (B,)."""
        return widen(outputs).mean(dim=0)

    def soft_loss(self, output: Tensor, target: Tensor, temperature: float) -> Tensor:
        """Mean squared difference to the teacher's scores (B,), squared label units; without temperature."""
        return F.mse_loss(widen(output), widen(target))

    def divergence(self, one: Tensor, other: Tensor) -> Tensor:
        """Mean squared difference, squared label units."""
        return score_divergence(one, other)
