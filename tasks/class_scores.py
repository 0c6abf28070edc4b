"""Precision, recall and F1 of each class."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heads import LabelSpace


@dataclass(frozen=True)
class ClassScore:
    """How well a class is found; precision, recall and F1 are 0 where they would divide by 0.

    Args:
        precision: Share of its predictions that are right.
        recall: Share of its rows that are predicted as such.
        f1: Harmonic mean of both.
        rows: Rows that are of the class.
        predicted: Rows that are predicted as such.
    """

    precision: float
    recall: float
    f1: float
    rows: int
    predicted: int


def score_classes(
    labels: LabelSpace, predictions: NDArray[np.float64], values: NDArray[np.float64]
) -> Iterator[ClassScore]:
    """Return the score of each class in order; none for scores.

    Args:
        labels: The task's labels.
        predictions: Predicted labels, (n, ...).
        values: Labels, (n, ...).
    """
    hits, rows, predicted = (
        labels.count_hits(predictions, values),
        labels.count_classes(values),
        labels.count_classes(predictions),
    )
    for hit, row, prediction in zip(hits.tolist(), rows.tolist(), predicted.tolist(), strict=True):
        yield ClassScore(
            precision=hit / max(prediction, 1),
            recall=hit / max(row, 1),
            f1=2 * hit / max(row + prediction, 1),
            rows=row,
            predicted=prediction,
        )
