"""What a head's output means: its loss, its prediction in label units and its probabilities."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from heads.labels import LabelKind, LabelSpace


class Output(ABC):
    """How raw values become an output, a loss and a prediction.

    Attributes:
        num_values: Raw values that a head computes for one example (C).
    """

    num_values: int

    @abstractmethod
    def from_raw(self, raw: Tensor) -> Tensor:
        """Turn raw values (B, num_values) into the head's output: (B, C) logits, or (B,) logits or scores."""

    @abstractmethod
    def loss(self, output: Tensor, labels: Tensor) -> Tensor:
        """Mean loss over the batch, a scalar; labels are (B,)."""

    @abstractmethod
    def predict(self, output: Tensor) -> Tensor:
        """Predicted labels in label units, (B,)."""

    @abstractmethod
    def probabilities(self, output: Tensor) -> Tensor | None:
        """Probability of each class, (B, number of classes); None where the label is a score."""


@dataclass(frozen=True)
class ClassOutput(Output):
    """One of C classes, by softmax cross-entropy.

    Args:
        num_values: Number of classes.
    """

    num_values: int

    def from_raw(self, raw: Tensor) -> Tensor:
        """Logits as they are, (B, C)."""
        return raw

    def loss(self, output: Tensor, labels: Tensor) -> Tensor:
        """Mean cross-entropy; labels are class indices (B,)."""
        return F.cross_entropy(output, labels)

    def predict(self, output: Tensor) -> Tensor:
        """Index of the largest logit, (B,)."""
        return output.argmax(dim=1)

    def probabilities(self, output: Tensor) -> Tensor:
        """Softmax, (B, C)."""
        return output.float().softmax(dim=1)


@dataclass(frozen=True)
class BinaryOutput(Output):
    """No or yes, from one logit.

    Args:
        criterion: `bce` for binary cross-entropy on the logit; `l1` for the mean absolute difference between
            the sigmoid and the label, the paper's choice for its head B1.
    """

    criterion: Literal["bce", "l1"] = "bce"
    num_values = 1

    def from_raw(self, raw: Tensor) -> Tensor:
        """One logit an example, (B,)."""
        return raw.squeeze(1)

    def loss(self, output: Tensor, labels: Tensor) -> Tensor:
        """Mean loss; labels are 0 or 1, (B,)."""
        target = labels.to(output.dtype)
        if self.criterion == "l1":
            return F.l1_loss(output.sigmoid(), target)
        return F.binary_cross_entropy_with_logits(output, target)

    def predict(self, output: Tensor) -> Tensor:
        """1 where the probability of yes exceeds one half, (B,)."""
        return (output > 0).long()

    def probabilities(self, output: Tensor) -> Tensor:
        """Probabilities of no and yes, (B, 2)."""
        yes = output.float().sigmoid()
        return torch.stack([1 - yes, yes], dim=1)


@dataclass(frozen=True)
class ScoreOutput(Output):
    """A real number between two ends; the output is already in label units.

    Args:
        low: Smallest label.
        high: Largest label.
        criterion: `mse` for the mean squared difference; `l1` for the mean absolute one.
    """

    low: float
    high: float
    criterion: Literal["mse", "l1"] = "mse"
    num_values = 1

    def from_raw(self, raw: Tensor) -> Tensor:
        """Squash one raw value with a sigmoid onto [low, high], (B,)."""
        share = raw.squeeze(1).float().sigmoid()  # bfloat16 has steps of 1/32 between 4 and 5
        return self.low + (self.high - self.low) * share

    def loss(self, output: Tensor, labels: Tensor) -> Tensor:
        """Mean loss in (squared) label units; labels are scores (B,)."""
        target = labels.to(output.dtype)
        return F.l1_loss(output, target) if self.criterion == "l1" else F.mse_loss(output, target)

    def predict(self, output: Tensor) -> Tensor:
        """The scores themselves, (B,)."""
        return output

    def probabilities(self, output: Tensor) -> None:
        """A score has none."""
        return None


def output_for(labels: LabelSpace, *, absolute: bool = False) -> Output:
    """Give the usual output of a label space.

    Args:
        labels: The task's labels.
        absolute: Take the L1 loss instead of cross-entropy or squares.

    Returns:
        Softmax cross-entropy for classes, one logit for yes/no, a bounded score for scores.

    Raises:
        ValueError: If `absolute` is asked for with more than two classes.
    """
    if labels.kind == "score":
        return ScoreOutput(labels.low, labels.high, "l1" if absolute else "mse")
    if labels.kind == "binary":
        return BinaryOutput("l1" if absolute else "bce")
    if absolute:
        raise ValueError(f"an L1 loss needs a yes/no or score label, but the task has {labels.num_classes} classes")
    return ClassOutput(labels.num_classes)


def describe(kind: LabelKind) -> str:
    """Name a kind of label for an error message."""
    return {"class": "classes", "binary": "yes/no labels", "score": "scores"}[kind]
