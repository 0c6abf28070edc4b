"""Predictions as something to learn from: those of other runs, or of another task in the same step."""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heads import LabelSpace, Scores
from runtime.counts import counted
from runtime.errors import InputError
from runtime.run_folders import find_named
from tasks.labels import list_names
from tasks.text_lines import ONLY_UTF8, decode_lines

ROUNDING = 0.01  # how far a row of probabilities may be from summing to 1
CLEARLY_CLOSER = 2  # times, in mean squared difference to the labels: scores of another scale


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """What a task learns from beside labels: saved predictions for the train split, or what another task answers.

    The loss is (1 - weight) * main + weight * soft: KL divergence from the teacher's probabilities for classes and
    yes/no (there, and for each label of a set, the binary cross-entropy with its probability, less a constant), mean
    squared difference for scores.
    A row without a label (`missing_labels`) learns from saved predictions alone.
    The model that saved predictions are of is not needed; they are written by
    `train.py predict -c RUN/config.yaml --ckpt_path best --data.predict_splits [train]`. Another task teaches with its
    output of the same step, through which no gradient flows: it must read the same rows and have the same labels, such
    as a cross-encoder that teaches a bi-encoder.

    Args:
        files: Run folders, whose `predictions/<task>-train-probabilities.csv` (`<task>-train.csv` for scores) is
            taken, such files themselves, or patterns of both (`runs/seeds/predict_*`). Several are averaged.
        task: Name of the task that teaches, instead of files.
        weight: Share of the soft loss, above 0 to 1.
        temperature: Flattens the teacher's and the own probabilities before they are compared; above 0.

    Raises:
        InputError: If an option is out of range, or there are files and a task, or neither.

    Source: Hinton et al. 2015, https://arxiv.org/abs/1503.02531; a cross-encoder as the teacher of a bi-encoder:
        Thakur et al. 2021, https://arxiv.org/abs/2010.08240
    """

    files: tuple[str, ...] = ()
    task: str | None = None
    weight: float = 0.5
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not self.files and self.task is None:
            raise InputError(
                "teacher.files is empty (expected run folders or prediction files, or a task in teacher.task)"
            )
        if self.files and self.task is not None:
            raise InputError(f"teacher.task is {self.task}, and there are teacher.files (expected one of both)")
        if not 0 < self.weight <= 1:
            raise InputError(f"teacher.weight is {self.weight} (expected above 0 to 1)")
        if not 0 < self.temperature < math.inf:
            raise InputError(f"teacher.temperature is {self.temperature} (expected above 0)")

    def locate(self, task: str, labels: LabelSpace) -> list[Path]:
        """Return the prediction files.

        Args:
            task: Name of the task, which the files of a run folder have.
            labels: The task's labels.

        Raises:
            InputError: If there is none for an entry of `files`.
        """
        name = f"{task}-train-probabilities.csv" if labels.num_classes else f"{task}-train.csv"
        paths = []
        for entry in self.files:
            found = find_named(entry)
            if not found:
                raise InputError(f"task {task}: teacher {entry}: no such file or run folder")
            for path in found:
                if path.is_dir() and path.name == "predictions" and not (path / "predictions").is_dir():
                    raise InputError(
                        f"task {task}: teacher {path}: lies in a run folder (expected the run folder itself, "
                        f"{path.parent})"
                    )
            paths += [path / "predictions" / name if path.is_dir() else path for path in found]
        for path in paths:
            if not path.is_file():
                raise InputError(
                    f"task {task}: teacher {path}: no such file (predict with --data.predict_splits [train] writes it)"
                )
        return paths

    def read(
        self,
        task: str,
        labels: LabelSpace,
        class_names: Sequence[str],
        ids: Sequence[str],
        *,
        known: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float32]:
        """Read and average the predictions.

        Args:
            task: Name of the task.
            labels: The task's labels.
            class_names: The classes as a prediction file names them; none for scores.
            ids: Ids of the training examples, [rows].
            known: Their labels, NaN where there is none, to see that scores are on the same scale; None to trust that.

        Returns:
            Probabilities (rows, C) or scores (rows,).

        Raises:
            InputError: If a file lacks an example, is not about these classes, or its scores are of another range.
        """
        width = len(class_names) or 1
        total = np.zeros((len(ids), width))
        paths = self.locate(task, labels)
        for path in paths:
            found = _read_file(path, class_names, width, ids, sum_to_one=not labels.is_set)
            if isinstance(labels, Scores):
                _check_range(path, found[:, 0], labels)
                if known is not None:
                    _check_scale(path, found[:, 0], labels, known)
            total += found
        mean = (total / len(paths)).astype(np.float32)
        return mean if class_names else mean[:, 0]


def _check_range(path: Path, scores: NDArray[np.float64], labels: Scores) -> None:
    """Refuse scores that are farther outside of the range than it is wide, which a cosine head's may be."""
    lowest, highest, width = scores.min(initial=labels.low), scores.max(initial=labels.low), labels.high - labels.low
    if lowest < labels.low - width or highest > labels.high + width:
        raise InputError(
            f"{path}: its scores are from {lowest:g} to {highest:g} (expected those of a task from {labels.low:g} to "
            f"{labels.high:g})"
        )


def _check_scale(path: Path, scores: NDArray[np.float64], labels: Scores, known: NDArray[np.float64]) -> None:
    """Refuse scores from 0 to 1, or cosines, in the place of those of a task with a wider range.

    A model that is only weak is not taken for one: laid on the range, the scores must be much closer to the labels.
    """
    rows, width = np.isfinite(known), labels.high - labels.low
    if width <= 2 or not rows.any() or np.abs(scores).max() > 1:
        return
    as_they_are, laid_on_range = (
        float(np.mean((read[rows] - known[rows]) ** 2)) for read in (scores, labels.low + width * scores)
    )
    if laid_on_range * CLEARLY_CLOSER < as_they_are:
        scale = f"{labels.low:g} to {labels.high:g}"
        raise InputError(
            f"{path}: its scores are from {scores.min():.3g} to {scores.max():.3g}, and fit the labels better if 0 to "
            f"1 means {scale} (expected scores of a task from {scale})"
        )


def _read_file(
    path: Path, class_names: Sequence[str], width: int, ids: Sequence[str], *, sum_to_one: bool
) -> NDArray[np.float64]:
    by_id: dict[str, list[float]] = {}
    try:
        for where, name, values in _read_rows(path, class_names, width, sum_to_one=sum_to_one):
            if name in by_id:
                raise InputError(f"{where}: the id {name!r} appears twice (expected one prediction for each example)")
            by_id[name] = values
    except csv.Error as error:
        raise InputError(f"{path}: {error} (expected a file of predictions with LF or CRLF)") from None
    missing = [name for name in ids if name not in by_id]
    if missing:
        raise InputError(
            f"{path}: has no prediction for {len(missing)} of {len(ids)} training examples, the first with id "
            f"{missing[0]!r} (expected the same train split, predicted whole)"
        )
    return np.array([by_id[name] for name in ids])


def _read_rows(
    path: Path, class_names: Sequence[str], width: int, *, sum_to_one: bool
) -> Iterator[tuple[str, str, list[float]]]:
    rows = csv.reader(decode_lines(path, ONLY_UTF8), skipinitialspace=True)
    header = [cell.strip() for cell in next(rows, [])]
    if len(header) != width + 1 or (class_names and header[1:] != [name.strip() for name in class_names]):
        expected = list_names(["id", *(class_names or ["a score"])])
        raise InputError(f"{path}: its columns are {list_names(header)} (expected {expected})")
    for row in filter(None, rows):
        where = f"{path}, line {rows.line_num}"
        if len(row) != len(header):
            raise InputError(f"{where}: has {counted(len(row), 'cell')} (expected {len(header)} as in the header)")
        yield where, row[0].strip(), _parse(row[1:], where, is_score=not class_names, sum_to_one=sum_to_one)


def _parse(cells: list[str], where: str, *, is_score: bool, sum_to_one: bool) -> list[float]:
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        values = []
    if is_score and len(values) == 1 and math.isfinite(values[0]):
        return values
    are_shares = bool(values) and min(values) >= 0 and max(values) <= 1 + ROUNDING
    if not is_score and are_shares and (not sum_to_one or abs(sum(values) - 1) < ROUNDING):
        return values
    expected = "one finite score" if is_score else f"probabilities{' that sum to 1' * sum_to_one}"
    raise InputError(f"{where}: holds {list_names(cells)} (expected {expected})")
