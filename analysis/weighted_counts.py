"""Metrics of classes and of sets of labels on weighted rows, each for many weightings at once."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Weighted = Callable[[Floats, Floats, Floats], Floats]  # labels and predictions, (n, ...), weights (samples, n)
Average = Literal["macro", "micro", "weighted", "yes"]  # yes: of class 1 alone


class Counts(NamedTuple):
    """How often each class occurs, (samples, C) each.

    Args:
        hits: Rows of the class that are predicted as such.
        rows: Rows of the class.
        predicted: Rows that are predicted as such.
    """

    hits: Floats
    rows: Floats
    predicted: Floats


def divide(part: Floats, whole: Floats, *, otherwise: float = np.nan) -> Floats:
    """Return part / whole, and another value where the whole is not above 0."""
    shape = np.broadcast_shapes(part.shape, whole.shape)
    quotient: Floats = np.divide(part, whole, out=np.full(shape, float(otherwise)), where=whole > 0)
    return quotient


def add_up(weights: Floats, places: NDArray[Any], size: int, values: NDArray[Any] | None = None) -> Floats:
    """Return the sum of weight times value over the rows at each place, (samples, size).

    Args:
        weights: Weight of each row, (samples, n).
        places: Place of each row, whole numbers from 0, (n,).
        size: Number of places.
        values: Value of each row, (n,); None for 1.
    """
    n = len(places)
    ones = np.ones(n) if values is None else values.astype(np.float64)
    sums: Floats = weights @ csr_array((ones, places.astype(np.int64), np.arange(n + 1)), shape=(n, size))
    return sums


def count(labels: Floats, run: Floats, weights: Floats) -> Counts:
    """Count the rows of each class: of numbers of classes, (n,), up to the highest, or of sets, (n, C)."""
    if labels.ndim > 1:
        return Counts(weights @ (labels * run), weights @ labels, weights @ run)
    size = int(max(labels.max(), run.max())) + 1
    return Counts(
        add_up(weights, labels, size, labels == run), add_up(weights, labels, size), add_up(weights, run, size)
    )


def precision(counts: Counts) -> tuple[Floats, Floats]:
    """Return what is right of what is predicted, as part and whole."""
    return counts.hits, counts.predicted


def recall(counts: Counts) -> tuple[Floats, Floats]:
    """Return what is found of what there is, as part and whole."""
    return counts.hits, counts.rows


def f1(counts: Counts) -> tuple[Floats, Floats]:
    """Return the harmonic mean of both, as part and whole."""
    return 2 * counts.hits, counts.rows + counts.predicted


def averaged(ratio: Callable[[Counts], tuple[Floats, Floats]], average: Average) -> Weighted:
    """Build a metric from a ratio of each class, which is 0 where it would divide by 0.

    Args:
        ratio: Part and whole of each class.
        average: How the classes are joined. `macro` leaves out classes that are neither in the labels nor predicted;
            of sets it leaves out none.
    """

    def score(labels: Floats, run: Floats, weights: Floats) -> Floats:
        counts = count(labels, run, weights)
        part, whole = ratio(counts)
        if average in ("micro", "yes"):
            chosen = slice(1, None) if average == "yes" else slice(None)
            return divide(part[:, chosen].sum(axis=1), whole[:, chosen].sum(axis=1), otherwise=0)
        if average == "weighted":
            importance = counts.rows
        else:
            importance = np.where((counts.rows + counts.predicted > 0) | (labels.ndim > 1), 1.0, 0.0)
        values = divide(part, whole, otherwise=0)
        return divide((importance * values).sum(axis=1), importance.sum(axis=1), otherwise=0)

    return score


def share_right(labels: Floats, run: Floats, weights: Floats) -> Floats:
    """Return the share of rows whose class is right, or whose whole set is."""
    is_right = (labels == run).reshape(len(labels), -1).all(axis=1)
    return divide(weights @ is_right.astype(np.float64), weights.sum(axis=1))


def matthews(labels: Floats, run: Floats, weights: Floats) -> Floats:
    """Return Matthews' correlation; NaN where labels or predictions are all of one class.

    Source: Gorodkin 2004, equation 8, https://doi.org/10.1016/j.compbiolchem.2004.09.006
    """
    hits, rows, predicted = count(labels, run, weights)
    total = weights.sum(axis=1)
    covariance = hits.sum(axis=1) * total - (rows * predicted).sum(axis=1)
    variances = [total**2 - (part**2).sum(axis=1) for part in (rows, predicted)]
    return divide(covariance, np.sqrt(variances[0] * variances[1]))


def kappa(labels: Floats, run: Floats, weights: Floats) -> Floats:
    """Return Cohen's kappa; NaN where labels and predictions are all of one class.

    Source: Cohen 1960, https://doi.org/10.1177/001316446002000104
    """
    hits, rows, predicted = count(labels, run, weights)
    total = weights.sum(axis=1)
    wrong, expected = total - hits.sum(axis=1), total**2 - (rows * predicted).sum(axis=1)
    return 1 - divide(wrong * total, expected)
