"""Scores of pairs by word overlap and label together: where counting shared words leads astray."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.intervals import Ends, auc, bootstrap_auc, bootstrap_mean, wilson_interval
from analysis.run import Predictions
from heads import Scores
from shortcuts.words import overlap
from tasks import Example

ENDS = (0.25, 0.5, 0.75, 1.0)
BANDS = ("under 25 %", "25 to 50 %", "50 to 75 %", "75 to 100 %", "all words")
EVERY = "any part"
EVERY_ROW = slice(None)


@dataclass(frozen=True)
class Estimate:
    """A number of a split, and how far it can be trusted.

    Args:
        value: The number; None where it is undefined.
        interval: Its 95 % interval; None where there are too few rows for one.
        count: Rows it is about.
    """

    value: float | None
    interval: Ends | None
    count: int


@dataclass(frozen=True)
class Band:
    """The pairs that share a certain part of their words.

    Args:
        overlap: Which part.
        auc: How well positive pairs are ranked above negative ones inside the band; None for three classes and more.
        labels: By label, the accuracy, or the mean of prediction minus label for scores.
    """

    overlap: str
    auc: Estimate | None
    labels: dict[str, Estimate]


def score_bands(predictions: Predictions) -> list[Band]:
    """Score the pairs of each band of word overlap, and all pairs first; bands without pairs are left out."""
    names, groups = group_labels(predictions)
    return [
        Band(name, rank_pairs(predictions, rows), dict(_score_labels(predictions, names, groups, rows)))
        for name, rows in find_bands(predictions.examples).items()
    ]


def find_bands(examples: Sequence[Example]) -> dict[str, NDArray[np.bool_]]:
    """Return which pairs are in each band of word overlap, (n,), all pairs first; bands without pairs are left out."""
    bands = np.searchsorted(ENDS, [overlap(*example.texts) for example in examples], side="right")
    chosen = {EVERY: np.ones(len(bands), dtype=bool), **{name: bands == n for n, name in enumerate(BANDS)}}
    return {name: rows for name, rows in chosen.items() if rows.any()}


def group_labels(predictions: Predictions) -> tuple[Sequence[str], NDArray[np.int64]]:
    """Return names of labels and the number of each pair's, (n,); scores are cut in the middle of their range."""
    space = predictions.task.labels
    if not isinstance(space, Scores):
        return predictions.task.class_names, predictions.labels.astype(np.int64)
    middle = (space.low + space.high) / 2
    return (f"to {middle:g}", f"above {middle:g}"), (predictions.labels > middle).astype(np.int64)


def rank(predictions: Predictions) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return whether each pair is positive, as 1 or 0, and what ranks it: the second class's probability, or the score.

    Both are (n,).
    """
    probabilities = predictions.probabilities
    ranking = predictions.predictions if probabilities is None else probabilities[:, 1]
    return group_labels(predictions)[1].astype(np.float64), ranking


def rank_pairs(predictions: Predictions, rows: NDArray[np.bool_] | slice = EVERY_ROW) -> Estimate | None:
    """Return the AUC of some pairs, (n,) or all of them: of the second class, or of scores above the middle.

    None for three classes and more, which have no order.
    """
    if predictions.task.labels.num_classes > 2:
        return None
    positive, ranking = (values[rows] for values in rank(predictions))
    return Estimate(auc(positive, ranking), bootstrap_auc(positive, ranking), len(positive))


def _score_labels(
    predictions: Predictions, names: Sequence[str], groups: NDArray[np.int64], rows: NDArray[np.bool_]
) -> Iterator[tuple[str, Estimate]]:
    for number, name in enumerate(names):
        chosen = rows & (groups == number)
        count = int(chosen.sum())
        if not count:
            continue
        if isinstance(predictions.task.labels, Scores):
            errors = (predictions.predictions - predictions.labels)[chosen]
            yield name, Estimate(float(errors.mean()), bootstrap_mean(errors), count)
        else:
            hits = int(predictions.is_right[chosen].sum())
            yield name, Estimate(hits / count, wilson_interval(hits, count), count)
