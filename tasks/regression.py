"""Tasks whose label is a score."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from heads import Scores
from runtime.errors import InputError
from tasks.labels import parse_score
from tasks.rows import Row
from tasks.task import Task
from tasks.unknown_labels import UnknownLabelError


@dataclass(frozen=True, kw_only=True)
class ScoreTask(Task):
    """The label side of regression; use Regression or PairRegression.

    Args:
        low: Smallest score, label units.
        high: Largest score, label units.
        decimal: What the decimals of scores are behind in .csv, .tsv and .txt files: `.` or `,`. JSON, Parquet and what
            is written have a point.
    """

    low: float
    high: float
    decimal: Literal[".", ","] = "."

    def __post_init__(self) -> None:
        if not -math.inf < self.low < self.high < math.inf:
            raise InputError(
                f"{type(self).__name__}: low is {self.low} and high {self.high} (expected finite low < high)"
            )
        super().__post_init__()

    @property
    def class_names(self) -> tuple[str, ...]:
        """None."""
        return ()

    @cached_property
    def labels(self) -> Scores:
        """Scores from `low` to `high`."""
        return Scores(self.low, self.high)

    def read_cell(self, row: Row) -> str:
        """Return the score's cell with a point for the decimals; empty where there is none.

        Raises:
            UnknownLabelError: If its decimals are behind a point and not behind a comma.
        """
        cell = super().read_cell(row)
        if self.decimal == "." or row.is_typed or cell in self.gaps:
            return cell
        if "." in cell:
            expected = f"a number from {self.low:.15g} to {self.high:.15g}, with a comma for the decimals"
            raise UnknownLabelError(row.where, self.label, cell, expected)
        return cell.replace(",", ".")

    def parse_label(self, cell: str) -> float:
        """Return the score in a cell; ValueError says which range was expected."""
        return parse_score(cell, self.low, self.high)

    def format_label(self, label: float) -> str:
        """Write a score with six decimals."""
        return f"{label:.6f}"


@dataclass(frozen=True, kw_only=True)
class Regression(ScoreTask):
    """A score of a sentence. For two sentences take PairRegression."""

    encoding: Literal["single"] = "single"


@dataclass(frozen=True, kw_only=True)
class PairRegression(ScoreTask):
    """A score of a pair of sentences, such as their similarity. For one sentence take Regression."""

    encoding: Literal["cross", "bi"] = "cross"
