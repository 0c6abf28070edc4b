"""What a task's training may do against a shortcut: labels that can be told by shared words or single words alone."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from heads import LabelSpace, OutputKind

Floats = NDArray[np.float64]


class LossInputs(NamedTuple):
    """What the loss of a batch is computed from, beside the labels.

    Args:
        output: What the head returned, (B, C) or (B,).
        weights: Weight of each label, (B,); None where all count alike.
        teacher: A teacher's probabilities (B, C) or scores (B,); None without one.
    """

    output: Tensor
    weights: Tensor | None
    teacher: Tensor | None


@dataclass(frozen=True)
class Debias(ABC):
    """A change of the loss by what a shortcut model says of each training row that it has not seen.

    The shortcut model is fitted once, before training, on the labels of the train split with the frequencies that they
    have there: logistic regression for classes, ridge regression for scores, on word overlap for pairs and on a bag of
    words for single texts. What it says of a row comes from the four fifths of the rows that this one is not among, nor
    a single text with the same words: of rows that it has seen it would be too sure. The trained model alone predicts.

    Args:
        strength: How much of the change is made in the first step, 0 (none) to 1 (all of it).
        end_strength: How much at the end of the training, reached in a straight line; None for `strength` throughout.

    Attributes:
        needs_teacher: Whether it changes what a teacher says, in the place of the loss on the labels.

    Raises:
        ValueError: If a strength is not from 0 to 1.
    """

    needs_teacher: ClassVar[bool] = False

    strength: float = 0.5
    end_strength: float | None = None

    def __post_init__(self) -> None:
        for name in ("strength", "end_strength"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f"debias {type(self).__name__}: {name} is {value} (expected 0 to 1)")

    def check(self, labels: LabelSpace, *, has_teacher: bool) -> None:
        """Check that it fits a task.

        Args:
            labels: The task's labels.
            has_teacher: Whether the task has a teacher.

        Raises:
            ValueError: If it does not.
        """
        name = type(self).__name__
        if labels.is_set:
            raise ValueError(f"debias {name} is for one label a row, but the task has {labels.plural}")
        if has_teacher and not self.needs_teacher:
            raise ValueError(f"debias {name} learns from labels alone, but the task has a teacher (expected none)")
        if self.needs_teacher and not has_teacher:
            raise ValueError(f"debias {name} scales what a teacher says, but the task has none (expected a teacher)")

    @abstractmethod
    def check_output(self, output: OutputKind) -> None:
        """Check that it fits the output of a head; ValueError says why it does not."""

    @abstractmethod
    def prepare(self, answers: Floats, labels: Floats, draws: Floats) -> Floats:
        """Return what a batch needs to know of each row.

        Args:
            answers: What the shortcut model says, probabilities (rows, C) or scores (rows,).
            labels: Class indices or scores, NaN where there is none, (rows,).
            draws: How often an epoch draws each row, on average, (rows,).

        Returns:
            (rows,) or (rows, C), NaN where there is no label.
        """

    @abstractmethod
    def change(self, inputs: LossInputs, shortcut: Tensor, strength: float) -> LossInputs:
        """Change what the loss of a batch is computed from.

        Args:
            inputs: Of the batch.
            shortcut: What was prepared for its rows, 0 where there is no label, (B,) or (B, C).
            strength: How much of the change is made, above 0 to 1.
        """

    def __call__(self, inputs: LossInputs, shortcut: Tensor, progress: float) -> LossInputs:
        """Change what the loss of a batch is computed from, as much as it is time for.

        Args:
            inputs: Of the batch.
            shortcut: As in `change`.
            progress: Share of the training that lies behind, 0 to 1.
        """
        end = self.strength if self.end_strength is None else self.end_strength
        strength = self.strength + (end - self.strength) * progress
        return self.change(inputs, shortcut, strength) if strength > 0 else inputs


def label_confidence(answers: Floats, labels: Floats) -> Floats:
    """Return how sure the shortcut model is of each row's label, B in [0, 1], (rows,).

    For classes B is the label's probability. A score y has a likelihood in its place, relative to that of the score b
    that the model says: exp(-(y - b)² / 2s²), s the root mean square of y - b.

    Args:
        answers: What it says, probabilities (rows, C) or scores (rows,).
        labels: Class indices or scores, NaN where there is none, (rows,).

    Example:
        >>> label_confidence(np.array([[0.9, 0.1], [0.4, 0.6]]), np.array([0.0, np.nan]))
        array([0.9, nan])
        >>> label_confidence(np.array([1.0, 1.0]), np.array([1.0, 3.0])).round(3)  # s² = 2
        array([1.   , 0.368])
    """
    if answers.ndim == 1:
        squares = (labels - answers) ** 2
        scale = max(float(np.nanmean(squares)), np.finfo(np.float64).tiny)
        found: Floats = np.exp(-squares / (2 * scale))
        return found
    known = ~np.isnan(labels)
    confidence = np.full(len(labels), math.nan)
    confidence[known] = answers[known, labels[known].astype(np.int64)]
    return confidence
