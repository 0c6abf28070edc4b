"""The tables of a cross-validation: mean and interval over folds, and each row's difference from the one it names."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any

from analysis.table import Table
from experiments.cells import format_interval, format_score_interval
from experiments.fold_interval import fold_interval
from experiments.results import publish
from experiments.row import Row
from experiments.statistics import Interval
from experiments.systems import System
from runtime.terminal import plain_console
from tasks import InputError

NOTES = (
    "Scores are of the final weights on the rows of the fold, which the training did not see: the first metric of each "
    "task, the mean over folds, and its 95 % interval.",
    "The interval is a t interval corrected for the rows that the trainings share (Nadeau & Bengio 2003). It is about "
    "this training on other rows of the same kind, and approximate; see docs/splits.md. A task with a dev file of its "
    "own has none, nor has a mean that it enters: every fold scores the same rows of it.",
)


@dataclass(frozen=True)
class Fold:
    """The finished runs of a row on one fold, one per seed.

    Args:
        number: Number of the fold.
        system: The runs.
    """

    number: int
    system: System

    @cached_property
    def scores(self) -> dict[str, float]:
        """Score of each task that enters the mean, and `mean`, over the seeds."""
        return {name: fmean(self.system.last[name]) for name in self.system.columns}


@dataclass(frozen=True)
class FoldedRow:
    """A row and its finished folds.

    Args:
        row: The row.
        folds: The folds with a finished run.
        number: Number of all folds.
    """

    row: Row
    folds: Sequence[Fold]
    number: int

    @property
    def intervals(self) -> dict[str, Interval]:
        """Mean and interval of each task, and of `mean`."""
        return {name: self._interval(name, [fold.scores[name] for fold in self.folds]) for name in self.columns}

    def _interval(self, column: str, scores: Sequence[float]) -> Interval:
        """Return the mean over folds with its interval; without one where all folds score some of the same rows."""
        data = self.folds[0].system.runs[0].report["data"]
        parts = [name for name in self.columns if name != "mean"] if column == "mean" else [column]
        if all("split" in data[name]["dev"] for name in parts):
            return fold_interval(scores, self.number)
        return Interval(fmean(scores), math.nan, math.nan)

    @property
    def columns(self) -> tuple[str, ...]:
        """What it is scored by."""
        return tuple(self.folds[0].scores)

    def minus(self, other: "FoldedRow") -> dict[str, Interval]:
        """Return the difference from another row, by task, over the folds that both have.

        Raises:
            InputError: If they were scored on different rows of a task.
        """
        theirs = {fold.number: fold for fold in other.folds}
        pairs = [(fold, theirs[fold.number]) for fold in self.folds if fold.number in theirs]
        for ours, their in pairs:
            _check_same_rows(ours.system, their.system)
        shared = [name for name in self.columns if name in other.columns] if pairs else []
        if "mean" in shared and {*self.columns} != {*other.columns}:
            shared.remove("mean")
        return {
            name: self._interval(name, [ours.scores[name] - their.scores[name] for ours, their in pairs])
            for name in shared
        }


def show(rows: Mapping[str, FoldedRow], output: Path) -> None:
    """Print the tables, and write them as `results.md` and `results.json` into the output folder.

    Args:
        rows: Rows with a finished fold, by name.
        output: Where to write.

    Raises:
        InputError: If two rows that are compared were scored on different rows of a task.
    """
    names = dict.fromkeys(name for row in rows.values() for name in row.columns)
    columns = sorted(names, key=lambda name: name == "mean")
    pairs = [(row, rows[row.row.against]) for row in rows.values() if row.row.against and row.row.against in rows]
    compared = {(row.row.name, other.row.name): row.minus(other) for row, other in pairs}
    cells = [
        (
            name,
            f"{len(row.folds)} of {row.number}",
            *(format_score_interval(row.intervals.get(column)) for column in columns),
        )
        for name, row in rows.items()
    ]
    tables = [Table("Dev scores over folds, with 95 % intervals", ("row", "folds", *columns), tuple(cells))]
    if compared:
        lines = [
            (*pair, *(format_interval(found.get(column)) for column in columns)) for pair, found in compared.items()
        ]
        tables.append(Table("Differences with 95 % intervals", ("row", "compared with", *columns), tuple(lines)))
    publish(output, NOTES, tables, [], _to_json(rows, compared), plain_console())


def _check_same_rows(ours: System, theirs: System) -> None:
    first, second = ours.runs[0], theirs.runs[0]
    for task in ours.metrics.keys() & theirs.metrics.keys():
        one, other = first.report["data"][task]["dev"], second.report["data"][task]["dev"]
        if any(one.get(key) != other.get(key) for key in ("sha256", "rows", "split")):
            raise InputError(
                f"{first.folder} and {second.folder} read other dev rows of {task} (expected the same file and split)"
            )


def _to_json(
    rows: Mapping[str, FoldedRow], compared: Mapping[tuple[str, str], Mapping[str, Interval]]
) -> dict[str, Any]:
    return {
        "rows": [
            {
                "row": name,
                "title": row.row.title,
                "folds": {fold.number: fold.scores for fold in row.folds},
                "over_folds": {column: vars(interval) for column, interval in row.intervals.items()},
                "runs": [str(run.folder) for fold in row.folds for run in fold.system.runs],
            }
            for name, row in rows.items()
        ],
        "differences": [
            {"row": name, "against": against, "intervals": {column: vars(each) for column, each in found.items()}}
            for (name, against), found in compared.items()
        ],
    }
