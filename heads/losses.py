"""How a head learns from labels: the choices for its `loss`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

from heads.continuation_ratio import ContinuationRatioOutput
from heads.label_sets import LabelSetOutput, LabelSets
from heads.labels import Classes, LabelSpace, Scores, YesNo, name_kinds
from heads.one_vs_all import OneVsAllOutput
from heads.outputs import BinaryOutput, ClassOutput, OutputKind, ScoreOutput


class Loss(ABC):
    """A loss in the place of a head's usual one, and the output that belongs to it.

    The usual ones are softmax cross-entropy for classes, binary cross-entropy for yes/no and squares for scores.

    Attributes:
        label_kinds: The kinds of label that it is defined for.
    """

    label_kinds: ClassVar[tuple[type[LabelSpace], ...]]

    @abstractmethod
    def output(self, labels: LabelSpace) -> OutputKind:
        """Return the output for labels of a fitting kind."""


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """The usual loss of classes, yes/no and label sets, with smoothed labels: less sure, and often better calibrated.

    Args:
        label_smoothing: Share of the label that all classes (of yes/no and of each label of a set, both answers) get
            alike, 0 to less than 1.

    Source: Szegedy et al. 2016, section 7, https://arxiv.org/abs/1512.00567
    """

    label_smoothing: float = 0.0
    label_kinds: ClassVar[tuple[type[LabelSpace], ...]] = (Classes, YesNo, LabelSets)

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"CrossEntropy: label_smoothing is {self.label_smoothing} (expected 0 to less than 1)")

    def output(self, labels: LabelSpace) -> OutputKind:
        """Return the usual output."""
        return _with_loss(labels, label_smoothing=self.label_smoothing)


@dataclass(frozen=True)
class FocalLoss(Loss):
    """Cross-entropy times (1 - p)^gamma, p the probability of the label: what is learnt already counts less.

    For rare classes, where the many easy examples of the others would fill the mean. Try `class_weights` first: they
    say what a class is worth, and leave the probabilities comparable.

    Args:
        gamma: Power; above 0.

    Source: Lin et al. 2017, https://arxiv.org/abs/1708.02002
    """

    gamma: float = 2.0
    label_kinds: ClassVar[tuple[type[LabelSpace], ...]] = (Classes, YesNo, LabelSets)

    def __post_init__(self) -> None:
        if not 0 < self.gamma < float("inf"):
            raise ValueError(f"FocalLoss: gamma is {self.gamma} (expected above 0)")

    def output(self, labels: LabelSpace) -> OutputKind:
        """Return the usual output."""
        return _with_loss(labels, gamma=self.gamma)


def _with_loss(labels: LabelSpace, **options: float) -> OutputKind:
    usual = labels.usual_output()
    assert isinstance(usual, ClassOutput | BinaryOutput | LabelSetOutput)
    return replace(usual, **options)  # type: ignore[arg-type]


@dataclass(frozen=True)
class AbsoluteError(Loss):
    """Mean absolute difference: of the score, or of the sigmoid to a yes/no label (the paper's choice for its B1)."""

    label_kinds: ClassVar[tuple[type[LabelSpace], ...]] = (YesNo, Scores)

    def output(self, labels: LabelSpace) -> OutputKind:
        """Return the output of yes/no labels or scores."""
        return ScoreOutput(labels.low, labels.high, "l1") if isinstance(labels, Scores) else BinaryOutput("l1")


@dataclass(frozen=True)
class OneVsAll(Loss):
    """One yes/no question a class; steadier than softmax cross-entropy in Lin & Le's runs. See OneVsAllOutput."""

    label_kinds: ClassVar[tuple[type[LabelSpace], ...]] = (Classes,)

    def output(self, labels: LabelSpace) -> OutputKind:
        """Return the output of classes."""
        return OneVsAllOutput(labels.num_classes)


@dataclass(frozen=True)
class OrdinalLogLoss(Loss):
    """Softmax whose wrong classes cost more the farther they are from the label; see `ordinal_log_loss`.

    For ordered classes. Take ContinuationRatio where calibrated probabilities matter: this loss constrains the label's
    own probability only through the others.

    Args:
        alpha: Power of the distance between two classes; above 0.

    Source: Castagnos et al. 2022, https://aclanthology.org/2022.coling-1.407
    """

    alpha: float = 1.5
    label_kinds: ClassVar[tuple[type[LabelSpace], ...]] = (Classes,)

    def __post_init__(self) -> None:
        if not 0 < self.alpha < float("inf"):
            raise ValueError(f"OrdinalLogLoss: alpha is {self.alpha} (expected more than 0)")

    def output(self, labels: LabelSpace) -> OutputKind:
        """Return the output of classes."""
        return ClassOutput(labels.num_classes, alpha=self.alpha)


@dataclass(frozen=True)
class ContinuationRatio(Loss):
    """Likelihood of a ladder of yes/no questions between neighbouring classes; see ContinuationRatioOutput.

    For classes that stand in an order.
    """

    label_kinds: ClassVar[tuple[type[LabelSpace], ...]] = (Classes,)

    def output(self, labels: LabelSpace) -> OutputKind:
        """Return the output of classes."""
        return ContinuationRatioOutput(labels.num_classes)


@dataclass(frozen=True)
class Correlation(Loss):
    """1 - Pearson's correlation over the batch, mixed with the squared error, which keeps scores in label units.

    The correlation is that of the rows that one process computes: batches of a few rows make it noise, and under
    several processes it is the mean of theirs. Where it is undefined (one row, constant labels or scores) it counts as
    0 and gives no gradient.

    Args:
        share: Share of 1 - correlation in the loss, above 0 to 1; the rest is squared error, in squared label units.
    """

    share: float = 0.5
    label_kinds: ClassVar[tuple[type[LabelSpace], ...]] = (Scores,)

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"Correlation: share is {self.share} (expected above 0 to 1)")

    def output(self, labels: LabelSpace) -> OutputKind:
        """Return the output of scores."""
        assert isinstance(labels, Scores)  # output_for has refused others
        return ScoreOutput(labels.low, labels.high, correlation=self.share)


def output_for(labels: LabelSpace, loss: Loss | None = None) -> OutputKind:
    """Return the output of a label space.

    Args:
        labels: The task's labels.
        loss: How to learn; None for softmax cross-entropy (classes), one logit with binary cross-entropy (yes/no) or
            squares on a bounded score (scores).

    Raises:
        ValueError: If the loss does not fit the labels.
    """
    if loss is None:
        return labels.usual_output()
    if not isinstance(labels, loss.label_kinds):
        fitting = name_kinds(loss.label_kinds)
        raise ValueError(f"the loss {type(loss).__name__} is for {fitting}, but the task has {labels.plural}")
    return loss.output(labels)
