"""Tasks whose label is one of some classes."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from heads.labels import LabelSpace, classes_or_yes_no
from tasks.errors import InputError
from tasks.labels import name_classes, parse_class
from tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class ClassTask(Task):
    """The label side of classification; use Classification or PairClassification.

    Args:
        num_classes: Number of classes, when the file numbers them 0, 1, ...
        classes: The label values as they stand in the file, otherwise; in YAML yes, no, true and false need quotes.
    """

    num_classes: int | None = None
    classes: tuple[str | int, ...] | None = None

    def __post_init__(self) -> None:
        try:
            name_classes(self.num_classes, self.classes)
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

    encoding: Literal["cross", "bi", "both"] = "cross"
