"""What the labels of a task are: one class a kind, which answers what differs between kinds."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heads.outputs import BinaryOutput, ClassOutput, OutputKind, ScoreOutput

Label = int | float | tuple[int, ...]  # of an example: the number of a class, a score, or the numbers of several labels


class LabelSpace(ABC):
    """The values that a label can take, and what follows from them.

    A new kind of label is one class here, its output and its metrics (`tasks.metrics`).

    Attributes:
        plural: What such labels are called in an error message.
        singular: What one of them is called.
        is_set: Whether a label is a set of classes: a row of C zeros and ones, where the others are one number.
        num_classes: Number of classes (C); 0 where there are none.
        noise_factor: Factor on the loss in the likelihood of a task with learnt noise (see `Uncertainty`).
    """

    plural: ClassVar[str]
    singular: ClassVar[str] = "class"
    is_set: ClassVar[bool] = False
    num_classes: int
    noise_factor: ClassVar[float] = 1.0

    @abstractmethod
    def usual_output(self) -> OutputKind:
        """Return the output of a head whose loss is not chosen."""

    def stack(self, labels: Sequence[Label | None]) -> NDArray[np.float64]:
        """Return labels of examples as they are stored, NaN where there is none, (n,), or (n, C) of sets."""
        return np.array([math.nan if label is None else label for label in labels], dtype=np.float64)

    @abstractmethod
    def decide(self, answers: Tensor) -> Tensor:
        """Return the labels that probabilities (n, C) or scores (n,) stand for, (n,), or (n, C) of sets."""

    @abstractmethod
    def as_tensor(self, values: NDArray[np.float64]) -> Tensor:
        """Return stored labels, NaN where there is none, as losses and metrics take them, in their shape."""

    @abstractmethod
    def best_constant(self, values: NDArray[np.float64]) -> float | NDArray[np.float64]:
        """Return the label that a model predicts which ignores the texts, from the labels of its training split."""

    @abstractmethod
    def best_probabilities(self, values: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Return the probabilities (C,) that such a model gives every text; None where there are none."""

    @abstractmethod
    def is_right(self, predictions: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each prediction counts as right, (n,)."""

    def confidence(self, predictions: NDArray[np.float64], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of each predicted label, (n,), from those of the classes (n, C)."""
        chosen: NDArray[np.float64] = probabilities[np.arange(len(predictions)), predictions.astype(np.int64)]
        return chosen

    @abstractmethod
    def count_classes(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Count the rows of each class, (C,)."""

    @abstractmethod
    def count_hits(self, predictions: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Count the rows of each class that are predicted as such, (C,)."""

    @abstractmethod
    def ask(
        self, probabilities: NDArray[np.float64], values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the yes/no questions (Q) that labels answer, one a class unless no and yes are the classes.

        Args:
            probabilities: Of the classes, (n, C).
            values: Labels, (n, 1) or (n, C) as they are stored.

        Returns:
            The probability of yes, and whether it is the answer, (n, Q) each.
        """

    @abstractmethod
    def check_positive(self, positive: float | None) -> None:
        """Check which label is to make a pair positive; ValueError says what was expected."""


class _ClassIndices(LabelSpace):
    """Labels that are the number of a class."""

    def decide(self, answers: Tensor) -> Tensor:
        """Return the most probable class."""
        return answers.argmax(dim=1)

    def as_tensor(self, values: NDArray[np.float64]) -> Tensor:
        """Return int64, -1 where there is none."""
        return torch.from_numpy(np.nan_to_num(values, nan=-1).astype(np.int64))

    def best_constant(self, values: NDArray[np.float64]) -> float:
        """Return the most frequent class."""
        return float(np.bincount(values.astype(np.int64)).argmax())

    def best_probabilities(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of each class."""
        return self.count_classes(values) / len(values)

    def count_classes(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Count the rows of each class, (C,)."""
        return np.bincount(values.astype(np.int64), minlength=self.num_classes)

    def count_hits(self, predictions: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Count the right predictions of each class, (C,)."""
        return self.count_classes(values[predictions == values])

    def is_right(self, predictions: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether the class is the label's."""
        return np.equal(predictions, values)

    def ask(
        self, probabilities: NDArray[np.float64], values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Ask of each class whether it is the one."""
        return probabilities, values == np.arange(self.num_classes)


@dataclass(frozen=True)
class Classes(_ClassIndices):
    """One of several classes.

    Args:
        num_classes: Number of classes (C), at least 3; for two prefer YesNo.
    """

    plural: ClassVar[str] = "classes"
    num_classes: int

    def usual_output(self) -> OutputKind:
        """Return a softmax with cross-entropy."""
        return ClassOutput(self.num_classes)

    def check_positive(self, positive: float | None) -> None:
        """Ask for a class."""
        if positive not in range(self.num_classes):
            raise ValueError(f"the number of a class, 0 to {self.num_classes - 1}")


@dataclass(frozen=True)
class YesNo(_ClassIndices):
    """No (0) or yes (1), answered with one logit."""

    plural: ClassVar[str] = "yes/no labels"
    num_classes = 2

    def usual_output(self) -> OutputKind:
        """Return one logit with binary cross-entropy."""
        return BinaryOutput()

    def ask(
        self, probabilities: NDArray[np.float64], values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Ask whether it is yes."""
        return probabilities[:, 1:], values == 1

    def check_positive(self, positive: float | None) -> None:
        """Ask for no or yes, where yes is the default."""
        if positive not in (None, 0, 1):
            raise ValueError("0 or 1, or none for 1")


@dataclass(frozen=True)
class Scores(LabelSpace):
    """A real number between two ends.

    Args:
        low: Smallest score, label units.
        high: Largest score, label units.
    """

    plural: ClassVar[str] = "scores"
    singular: ClassVar[str] = "score"
    num_classes = 0
    noise_factor: ClassVar[float] = 0.5
    low: float
    high: float

    def usual_output(self) -> OutputKind:
        """Return a bounded score with squared error."""
        return ScoreOutput(self.low, self.high)

    def decide(self, answers: Tensor) -> Tensor:
        """Return the scores themselves."""
        return answers

    def as_tensor(self, values: NDArray[np.float64]) -> Tensor:
        """Return float32, NaN where there is none."""
        return torch.from_numpy(values.astype(np.float32))

    def best_constant(self, values: NDArray[np.float64]) -> float:
        """Return the mean."""
        return float(np.mean(values))

    def best_probabilities(self, values: NDArray[np.float64]) -> None:
        """A score has none."""
        return None

    def is_right(self, predictions: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether the score is less than a tenth of the range away from the label."""
        near: NDArray[np.bool_] = np.abs(predictions - values) <= (self.high - self.low) / 10 + 1e-9
        return near

    def count_classes(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """There is none to count, (0,)."""
        return np.zeros(0, dtype=np.int64)

    def count_hits(self, predictions: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.int64]:
        """There is none to count, (0,)."""
        return np.zeros(0, dtype=np.int64)

    def ask(
        self, probabilities: NDArray[np.float64], values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """A score answers none."""
        raise ValueError("scores answer no yes/no question")

    def check_positive(self, positive: float | None) -> None:
        """Ask for the smallest positive score, which leaves scores below it."""
        if positive is None or not self.low < positive <= self.high:
            raise ValueError(f"the smallest positive score, above {self.low:g} to {self.high:g}")


def classes_or_yes_no(num_classes: int) -> LabelSpace:
    """Return the space of some classes: two are a yes/no question.

    Example:
        >>> classes_or_yes_no(2), classes_or_yes_no(5)
        (YesNo(), Classes(num_classes=5))
    """
    return YesNo() if num_classes == 2 else Classes(num_classes)


def name_kinds(kinds: tuple[type[LabelSpace], ...]) -> str:
    """Name kinds of label for an error message.

    Example:
        >>> name_kinds((YesNo, Scores))
        'yes/no labels or scores'
    """
    return " or ".join(kind.plural for kind in kinds)
