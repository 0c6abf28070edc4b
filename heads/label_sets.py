"""Labels of examples that have any number of them, and their output: a yes/no question a label."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heads.cross_entropy import binary_cross_entropy
from heads.distributions import average_log_probabilities, teacher_divergence, yes_no
from heads.divergences import binary_divergence
from heads.labels import Label, LabelSpace
from heads.outputs import OutputKind
from heads.precision import widen


@dataclass(frozen=True)
class LabelSets(LabelSpace):
    """Any number of several labels, none and all included.

    Args:
        num_classes: Number of labels (C).
        thresholds: Probability above which each of them is predicted, [C]; None for one half.
    """

    plural: ClassVar[str] = "sets of labels"
    singular: ClassVar[str] = "set of labels"
    is_set: ClassVar[bool] = True
    num_classes: int
    thresholds: tuple[float, ...] | None = None

    def usual_output(self) -> OutputKind:
        """Return a logit a label with binary cross-entropy."""
        return LabelSetOutput(self.num_classes, self.thresholds or (0.5,) * self.num_classes)

    def stack(self, labels: Sequence[Label | None]) -> NDArray[np.float64]:
        """Return a row of zeros and ones for each set of label numbers, of NaN where there is none."""
        rows = np.zeros((len(labels), self.num_classes))
        for row, label in zip(rows, labels, strict=True):
            row[slice(None) if label is None else list(as_numbers(label))] = math.nan if label is None else 1
        return rows

    def decide(self, answers: Tensor) -> Tensor:
        """Return 1 where a probability exceeds its threshold."""
        thresholds = self.thresholds or (0.5,) * self.num_classes
        return (answers > torch.tensor(thresholds, device=answers.device)).long()

    def as_tensor(self, values: NDArray[np.float64]) -> Tensor:
        """Return float32, NaN where there is none."""
        return torch.from_numpy(values.astype(np.float32))

    def best_constant(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the labels that more than half of the rows have."""
        return (self.best_probabilities(values) > 0.5).astype(np.float64)

    def best_probabilities(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of rows that have each label."""
        return self.count_classes(values) / len(values)

    def is_right(self, predictions: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether every label is right."""
        is_right: NDArray[np.bool_] = np.all(predictions == values, axis=1)
        return is_right

    def confidence(self, predictions: NDArray[np.float64], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of each predicted set, as if its labels were independent."""
        shares: NDArray[np.float64] = np.where(predictions == 1, probabilities, 1 - probabilities).prod(axis=1)
        return shares

    def count_classes(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Count the rows that have each label, (C,)."""
        counts: NDArray[np.int64] = (values == 1).sum(axis=0)
        return counts

    def count_hits(self, predictions: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Count the rows that have each label and for which it is predicted, (C,)."""
        counts: NDArray[np.int64] = ((predictions == 1) & (values == 1)).sum(axis=0)
        return counts

    def ask(
        self, probabilities: NDArray[np.float64], values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Ask of each label whether the row has it."""
        return probabilities, values == 1

    def check_positive(self, positive: float | None) -> None:
        """There is no positive set."""
        raise ValueError("a task with one label a row: a set of labels makes no pair positive")


def as_numbers(label: Label) -> tuple[int, ...]:
    """Return the label of an example that is a set: the numbers of its labels."""
    assert isinstance(label, tuple)
    return label


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
