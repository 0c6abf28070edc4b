"""Tasks whose label is one of some classes."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from heads.labels import LabelSpace, classes_or_yes_no
from runtime.errors import InputError
from tasks.label_weights import ClassWeights, check_weights, weigh_classes
from tasks.labels import name_classes, parse_class
from tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class ClassTask(Task):
    """The label side of classification; use Classification or PairClassification.

    Args:
        num_classes: Number of classes, when the file numbers them 0, 1, ...
        classes: The label values as they stand in the file, otherwise; in YAML yes, no, true and false need quotes.
        class_weights: Weight of each class in the loss, by class; 1 for those that are not named. `balanced` gives all
            classes the same weight in total: n / (C * rows of the class), of the training rows.
        sampling: Which rows a training epoch takes: `all` each once; `balanced` as many, but the same number of each
            class, so that rows of rare classes come several times and some of frequent ones not at all.
    """

    num_classes: int | None = None
    classes: tuple[str | int, ...] | None = None
    class_weights: ClassWeights | None = None
    sampling: Literal["all", "balanced"] = "all"

    def __post_init__(self) -> None:
        try:
            check_weights(self.class_weights, name_classes(self.num_classes, self.classes))
        except ValueError as error:
            raise InputError(f"{type(self).__name__}: {error}") from None
        super().__post_init__()

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """The classes as they stand in the file."""
        return name_classes(self.num_classes, self.classes)

    @cached_property
    def labels(self) -> LabelSpace:
        """Class indices."""
        return classes_or_yes_no(len(self.class_names))

    def parse_label(self, cell: str) -> int:
        """Return the index of the class in a cell; ValueError says which classes there are."""
        return parse_class(cell, self.class_names, numbered=self.classes is None)

    def weigh_labels(self, labels: NDArray[np.float64]) -> NDArray[np.float32] | None:
        """Return the weight of each training label's class."""
        known = ~np.isnan(labels)
        weights = weigh_classes(self.class_weights, self.class_names, self.labels.count_classes(labels[known]))
        return None if weights is None else weights[np.where(known, labels, 0).astype(np.int64)]

    @property
    def is_balanced(self) -> bool:
        """Whether a training epoch takes the same number of rows of each class."""
        return self.sampling == "balanced"

    def format_label(self, label: float) -> str:
        """Name a class as the file does."""
        return self.class_names[int(label)]


@dataclass(frozen=True, kw_only=True)
class Classification(ClassTask):
    """Which class a sentence belongs to. For two sentences take PairClassification.

    Example:
        >>> from tasks import Source
        >>> Classification(source=Source(train="a.csv"), texts=("review",), label="stars", num_classes=5).metric_names
        ('accuracy', 'macro_f1')
    """

    encoding: Literal["single"] = "single"


@dataclass(frozen=True, kw_only=True)
class PairClassification(ClassTask):
    """Which class a pair of sentences belongs to. For one sentence take Classification."""

    encoding: Literal["cross", "bi"] = "cross"
