"""What the labels of a task are."""

from dataclasses import dataclass
from typing import Literal

LabelKind = Literal["class", "binary", "score"]


@dataclass(frozen=True)
class LabelSpace:
    """The values that a label can take.

    Args:
        kind: `class` for one of `num_classes` classes, `binary` for no (0) or yes (1), `score` for a real number.
        num_classes: Number of classes; 2 for `binary`, 0 for `score`.
        low: Smallest score, label units.
        high: Largest score, label units.

    Example:
        >>> LabelSpace.of_classes(2).kind, LabelSpace.of_classes(5).kind
        ('binary', 'class')
    """

    kind: LabelKind
    num_classes: int = 0
    low: float = 0.0
    high: float = 0.0

    @classmethod
    def of_classes(cls, num_classes: int) -> "LabelSpace":
        """Space of `num_classes` classes; two classes are a yes/no question, answered with one logit."""
        return cls(kind="binary" if num_classes == 2 else "class", num_classes=num_classes)

    @classmethod
    def of_scores(cls, low: float, high: float) -> "LabelSpace":
        """Space of the real numbers from `low` to `high`."""
        return cls(kind="score", low=low, high=high)
