"""Tasks whose label is any number of classes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from heads import LabelSets
from runtime.counts import counted
from runtime.errors import InputError
from tasks.cells import Row
from tasks.delimited import HOW_TO_WRITE_A_TAB
from tasks.label_weights import ClassWeights, by_name, check_weights, weigh_answers
from tasks.labels import list_names, name_classes
from tasks.task import Task
from tasks.unknown_labels import UnknownLabelError

YES, NO = ("1", "1.0", "true", "True"), ("0", "0.0", "false", "False")  # as files and data frames write them


@dataclass(frozen=True, kw_only=True)
class LabelSetTask(Task):
    """The label side of multi-label classification; use MultiLabel or PairMultiLabel.

    Args:
        label: Column with a row's labels; beside `label_columns` a name for them in messages and tables.
        classes: The labels as they stand in the file; by default the names of `label_columns`.
        separator: Text between the labels of a cell, such as `;`; None where a cell is a JSON list, or where a file's
            own format has lists.
        label_columns: Columns with 0 or 1, one a label, in the place of the column `label`.
        empty_is_none: Whether an empty cell says that no label applies, as `[]` and zeros in all columns always do.
        thresholds: Probability above which a label is predicted, by label; one half for those that are not named.
        class_weights: Weight of each label in the loss where it applies, by label; 1 for those that are not named.
            `balanced` gives the rows with and without a label the same weight in total, for each label.
    """

    label: str = "labels"
    classes: tuple[str | int, ...] | None = None
    separator: str | None = None
    label_columns: tuple[str, ...] | None = None
    empty_is_none: bool = False
    thresholds: dict[str, float] | None = None
    class_weights: ClassWeights | None = None

    def __post_init__(self) -> None:
        name = type(self).__name__
        try:
            self._check_names()
            check_weights(self.class_weights, self.class_names)
        except ValueError as error:
            raise InputError(f"{name}: {error}") from None
        for label, threshold in by_name(self.thresholds or {}).items():
            if label not in self.class_names:
                raise InputError(f"{name}: thresholds has {label!r} (expected {list_names(self.class_names)})")
            if not 0 <= threshold <= 1:
                raise InputError(f"{name}: the threshold of {label} is {threshold} (expected 0 to 1)")
        super().__post_init__()
        if self.empty_is_none and "" in self.gaps:
            raise InputError(
                f"{name}: empty_is_none is true, but missing_labels takes an empty cell as a gap (expected one of both)"
            )

    def _check_names(self) -> None:
        if self.label_columns is not None:
            if self.separator is not None:
                raise ValueError("separator is given beside label_columns (expected one of both)")
            if self.classes is not None and len(self.classes) != len(self.label_columns):
                count = len(self.label_columns)
                found = counted(len(self.classes), "class", "classes")
                raise ValueError(f"has {found} (expected {count}, one for each of label_columns)")
        elif self.classes is None:
            raise ValueError("has no classes (expected the labels of the file, or label_columns)")
        if self.separator == "":
            raise ValueError("separator is empty (expected a text, or none for JSON lists)")
        if self.separator is not None and r"\t" in self.separator:  # what a shell makes of "\t"
            raise ValueError(f"separator is {self.separator!r} (expected a text; {HOW_TO_WRITE_A_TAB})")
        for label in self.class_names:
            if self.separator is not None and self.separator in label:
                raise ValueError(f"the label {label!r} holds the separator {self.separator!r} (expected another one)")

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """The labels as they stand in the file."""
        return name_classes(None, self.classes or self.label_columns)

    @cached_property
    def labels(self) -> LabelSets:
        """Sets of label numbers."""
        if not self.thresholds:
            return LabelSets(len(self.class_names))
        found = by_name(self.thresholds)
        return LabelSets(len(self.class_names), tuple(found.get(name, 0.5) for name in self.class_names))

    @property
    def read_columns(self) -> tuple[str, ...]:
        """The columns of 0 and 1, or the one with all labels."""
        return self.label_columns or (self.label,)

    @property
    def list_columns(self) -> tuple[str, ...]:
        """The column with all labels, where it may hold lists."""
        return (self.label,) if self.separator is None and self.label_columns is None else ()

    def read_cell(self, row: Row) -> str:
        """Return the label cell of a row; columns of 0 and 1 as one JSON list of the labels that apply."""
        if not any(column in row.fields for column in self.read_columns):  # of a test split
            return ""
        if self.label_columns is None:
            return self._fill_in(super().read_cell(row))
        cells = [(row.fields.get(column) or "").strip() for column in self.label_columns]
        if len(set(cells)) == 1 and cells[0] not in (*YES, *NO):
            return self._fill_in(cells[0])  # a gap, or empty
        for column, cell in zip(self.label_columns, cells, strict=True):
            if cell not in (*YES, *NO):
                raise UnknownLabelError(row.where, column, cell, "0 or 1")
        return json.dumps([name for name, cell in zip(self.class_names, cells, strict=True) if cell in YES])

    def with_gaps(self) -> Self:
        """Return the task as it is where an empty cell says that no label applies."""
        return self if self.empty_is_none else super().with_gaps()

    @property
    def empty_choices(self) -> str:
        """The settings that give an empty label cell a meaning."""
        return f"empty_is_none: true says that none applies, {super().empty_choices}"

    def _fill_in(self, cell: str) -> str:
        return "[]" if not cell and self.empty_is_none else cell

    def parse_label(self, cell: str) -> tuple[int, ...]:
        """Return the numbers of the labels in a cell, rising; ValueError says what was expected."""
        names = self._split(cell)
        unknown = next((name for name in names if name not in self.class_names), None)
        if unknown is not None:
            raise ValueError(f"labels out of {list_names(self.class_names)}, not {unknown!r}")
        return tuple(sorted({self.class_names.index(name) for name in names}))

    def _split(self, cell: str) -> Sequence[str]:
        if cell in ("", "[]"):
            return []
        if self.separator is not None:
            return [name.strip() for name in cell.split(self.separator)]
        try:
            names = json.loads(cell)
        except ValueError:
            names = None
        if not isinstance(names, list) or not all(isinstance(name, str | int) for name in names):
            raise ValueError('a JSON list of labels such as ["a", "b"], or set separator')
        return [str(name) for name in names]

    def weigh_labels(self, labels: NDArray[np.float64]) -> NDArray[np.float32] | None:
        """Return the weight of each answer of the training labels, (rows, C)."""
        counts, rows = self.labels.count_classes(labels), int((~np.isnan(labels[:, 0])).sum())
        weights = weigh_answers(self.class_weights, self.class_names, counts, rows)
        return None if weights is None else np.where(labels == 1, weights[1], weights[0])

    def format_label(self, label: Any) -> str:
        """Write a set of labels, a row of zeros and ones, as the file does."""
        names = self.name_labels(label)
        return json.dumps(names, ensure_ascii=False) if self.separator is None else self.separator.join(names)

    def name_labels(self, label: Any) -> list[str]:
        """Return the names in a set of labels."""
        return [name for name, value in zip(self.class_names, label, strict=True) if value == 1]


@dataclass(frozen=True, kw_only=True)
class MultiLabel(LabelSetTask):
    """Which labels apply to a sentence. For two sentences take PairMultiLabel, for one label a row Classification.

    Example:
        >>> from tasks import Source
        >>> task = MultiLabel(source=Source(train="a.csv"), texts=("text",), classes=("film", "music"), separator=";")
        >>> task.parse_label("music; film"), task.format_label([0, 1]), task.metric_names
        ((0, 1), 'music', ('micro_f1', 'macro_f1'))
    """

    encoding: Literal["single"] = "single"


@dataclass(frozen=True, kw_only=True)
class PairMultiLabel(LabelSetTask):
    """Which labels apply to a pair of sentences. For one sentence take MultiLabel."""

    encoding: Literal["cross", "bi"] = "cross"
