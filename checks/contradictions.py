"""Equal texts with different labels, and the best score that they leave possible."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from checks.finding import Finding
from checks.fingerprints import Keys
from checks.split_rows import SplitRows

LOW_CEILING = 0.99


@dataclass(frozen=True)
class Contradictions:
    """Rows whose texts another row has with another label.

    Args:
        rows: The rows, those of equal texts next to each other, (k,).
        partners: For each a row with the same texts and another label, (k,).
        ceiling: The best possible accuracy, or for scores the best possible Pearson correlation.
    """

    rows: NDArray[np.int64]
    partners: NDArray[np.int64]
    ceiling: float


def find_contradictions(rows: SplitRows) -> Iterator[Finding]:
    """Find them in a split: equal texts, and pairs that are equal once their sides are swapped."""
    is_score = not rows.task.labels.num_classes
    found = contradict(rows.joined(ordered=True), rows.labels, is_score=is_score)
    if found.rows.size:
        yield rows.tell(
            found.rows,
            check="contradictions",
            level="warning" if found.ceiling < LOW_CEILING else "note",
            what=f"have the texts of another row and another label: no model can have more than {_best(rows, found)}",
            advice="decide for one label, or average the scores",
            remarks=_twins(rows, found.rows, found.partners),
        )
    if rows.sides == 1:
        return
    either = contradict(rows.joined(ordered=False), rows.labels, is_score=is_score)
    swapped = ~np.isin(either.rows, found.rows)
    if swapped.any():
        yield rows.tell(
            either.rows[swapped],
            check="contradictions-swapped",
            level="note",
            what="have the sides of another row the other way round, and another label",
            advice="nothing where the order of the sides matters; elsewhere decide for one label",
            remarks=_twins(rows, either.rows[swapped], either.partners[swapped]),
        )


def _twins(rows: SplitRows, chosen: NDArray[np.int64], partners: NDArray[np.int64]) -> Iterator[str]:
    """Say of each row its label, and where the row is that contradicts it."""
    for row, other in zip(chosen.tolist(), partners.tolist(), strict=True):
        yield f"{rows.label(row)}; {rows.unit} {rows.numbers[other]} says {rows.label(other)}"


def _best(rows: SplitRows, found: Contradictions) -> str:
    """Return the best possible score in words, rounded down."""
    if rows.task.labels.num_classes:
        return f"{math.floor(found.ceiling * 1e4) / 1e2:g} % accuracy on them all"
    largest = float(np.abs(rows.labels[found.rows] - rows.labels[found.partners]).max())
    return f"a Pearson correlation of {math.floor(found.ceiling * 1e5) / 1e5:g} (labels differ by {largest:g} at most)"


def contradict(keys: Keys, labels: NDArray[np.float64], *, is_score: bool) -> Contradictions:
    """Find rows with equal keys and different labels.

    Args:
        keys: Key of each row, (n,).
        labels: Class index or score, NaN where there is none, (n,).
        is_score: Whether labels are scores.

    Example:
        >>> found = contradict(np.array([5, 6, 5, 5]), np.array([1.0, 0.0, 0.0, 1.0]), is_score=False)
        >>> found.rows.tolist(), found.partners.tolist(), found.ceiling
        ([2, 0, 3], [3, 2, 2], 0.75)
    """
    labelled = np.flatnonzero(~np.isnan(labels))
    order = labelled[np.lexsort((labels[labelled], keys[labelled]))]  # by key, then by label
    if not order.size:
        return Contradictions(order, order, 1.0)
    sorted_keys, sorted_labels = keys[order], labels[order]
    starts = np.flatnonzero(np.r_[True, sorted_keys[1:] != sorted_keys[:-1]])
    sizes = np.diff(np.r_[starts, len(order)])
    lowest, highest = order[starts], order[starts + sizes - 1]
    differs = np.repeat(labels[lowest] != labels[highest], sizes)
    is_lowest = sorted_labels == np.repeat(labels[lowest], sizes)
    partners = np.where(is_lowest, np.repeat(highest, sizes), np.repeat(lowest, sizes))
    best = _best_correlation if is_score else _best_accuracy
    return Contradictions(order[differs], partners[differs], best(sorted_labels, starts))


def _best_accuracy(labels: NDArray[np.float64], starts: NDArray[np.int64]) -> float:
    """Return the share of rows that have the most frequent label of their group; equal labels stand together."""
    firsts = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]])
    runs = np.union1d(starts, firsts)
    lengths = np.diff(np.r_[runs, len(labels)])
    most = np.maximum.reduceat(lengths, np.searchsorted(runs, starts))
    return float(most.sum() / len(labels))


def _best_correlation(scores: NDArray[np.float64], starts: NDArray[np.int64]) -> float:
    """Return the correlation of the scores with the mean of their group."""
    sizes = np.diff(np.r_[starts, len(scores)])
    means = np.repeat(np.add.reduceat(scores, starts) / sizes, sizes)
    total = float(((scores - scores.mean()) ** 2).sum())
    return math.sqrt(max(0.0, 1 - float(((scores - means) ** 2).sum()) / total)) if total else 1.0
