"""Scores of parts of a split that may be easy or hard for a model."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.intervals import Ends, bootstrap_pearson, pearson, wilson_interval
from analysis.run import Predictions
from analysis.words import has_negation, numbers
from figures import pick_classes
from heads import Classes, Scores
from shortcuts.words import overlap, words
from tasks import Example

LABEL = "label (recall)"


@dataclass(frozen=True)
class Slice:
    """The examples of a split that have something in common.

    Args:
        grouping: What they are grouped by.
        name: Which of them.
        count: Number of examples.
        score: Accuracy, or Pearson's correlation of scores; None where it is undefined.
        interval: 95 % interval of the score: Wilson for an accuracy, bootstrap for a correlation.
        reference: Share of the most frequent class (or set) in the slice, what a constant would score there; for
            scores, the mean of prediction minus label; None for the slices of a label, whose accuracy is the recall.
    """

    grouping: str
    name: str
    count: int
    score: float | None
    interval: Ends | None
    reference: float | None


@dataclass(frozen=True)
class Grouping:
    """A way to group examples.

    Args:
        title: What they are grouped by.
        names: The slices in order.
        assign: Returns the number of each example's slice.
        only_pairs: Whether it needs two texts.
    """

    title: str
    names: tuple[str, ...]
    assign: Callable[[Sequence[Example]], list[int]]
    only_pairs: bool = False


def _by_overlap(examples: Sequence[Example]) -> list[int]:
    return [int(np.searchsorted([0.25, 0.5, 0.75], overlap(*example.texts), side="right")) for example in examples]


def _by_length(examples: Sequence[Example]) -> list[int]:
    longest = [max(len(text.split()) for text in example.texts) for example in examples]
    return [int(np.searchsorted([10, 20, 30], length, side="left")) for length in longest]


def _by_negation(examples: Sequence[Example]) -> list[int]:
    return [int(any(map(has_negation, example.texts))) for example in examples]


def _count_texts_with_negation(examples: Sequence[Example]) -> list[int]:
    return [sum(map(has_negation, example.texts)) for example in examples]


def _by_numbers(examples: Sequence[Example]) -> list[int]:
    return [int(any(map(numbers, example.texts))) for example in examples]


def _by_equal_numbers(examples: Sequence[Example]) -> list[int]:
    found = [[numbers(text) for text in example.texts] for example in examples]
    return [0 if not (one | other) else 1 if one == other else 2 for one, other in found]


def _by_recurrence(examples: Sequence[Example]) -> list[int]:
    counts = Counter(_normal(text) for example in examples for text in set(map(_normal, example.texts)))
    return [sum(counts[_normal(text)] > 1 for text in example.texts) for example in examples]


def _by_word_order(examples: Sequence[Example]) -> list[int]:
    sets = [[words(text) for text in example.texts] for example in examples]
    return [int(one == other) for one, other in sets]


def _normal(text: str) -> str:
    return " ".join(text.lower().split())


GROUPINGS = (
    Grouping(
        "words that both texts share",
        ("under 25 %", "25 to 50 %", "50 to 75 %", "75 % and more"),
        _by_overlap,
        only_pairs=True,
    ),
    Grouping("the same words in both", ("no", "yes"), _by_word_order, only_pairs=True),
    Grouping("recurs in the split", ("neither text", "one text", "both texts"), _by_recurrence, only_pairs=True),
    Grouping("length of the longest text", ("to 10 words", "11 to 20", "21 to 30", "over 30"), _by_length),
    Grouping("negation", ("none", "one text", "both texts"), _count_texts_with_negation, only_pairs=True),
    Grouping("negation", ("none", "some"), _by_negation),
    Grouping("numbers", ("none", "the same in both", "different"), _by_equal_numbers, only_pairs=True),
    Grouping("numbers", ("none", "some"), _by_numbers),
)


def slice_scores(predictions: Predictions) -> list[Slice]:
    """Score each slice of each grouping that fits the task; empty ones are left out."""
    is_pair = len(predictions.task.texts) == 2
    chosen = {grouping.title: grouping for grouping in reversed(GROUPINGS) if is_pair or not grouping.only_pairs}
    groupings = [grouping for grouping in GROUPINGS if chosen.get(grouping.title) is grouping]
    slices = [one for grouping in groupings for one in _score_grouping(predictions, grouping)]
    labels = predictions.task.labels  # what is found of each label of a set, its own table says
    return slices if labels.is_set or isinstance(labels, Scores) else [*slices, *_score_labels(predictions)]


def _score_labels(predictions: Predictions) -> Iterator[Slice]:
    """Yield the recall of each class; of many classes, of those with the most mistakes."""
    names, labels = predictions.task.class_names, predictions.labels.astype(np.int64)
    for number in pick_classes(np.bincount(labels[~predictions.is_right], minlength=len(names))):
        if (labels == number).any():
            yield _score_slice(predictions, LABEL, names[number], labels == number)


def _score_grouping(predictions: Predictions, grouping: Grouping) -> Iterator[Slice]:
    yield from _score_each(
        predictions, grouping.title, grouping.names, np.array(grouping.assign(predictions.examples), dtype=np.int64)
    )


def _score_each(
    predictions: Predictions, title: str, names: Sequence[str], numbers_: NDArray[np.int64]
) -> Iterator[Slice]:
    for number, name in enumerate(names):
        chosen = numbers_ == number
        if chosen.any():
            yield _score_slice(predictions, title, name, chosen)


def _score_slice(predictions: Predictions, title: str, name: str, chosen: NDArray[np.bool_]) -> Slice:
    labels, predicted = predictions.labels[chosen], predictions.predictions[chosen]
    count = len(labels)
    if isinstance(predictions.task.labels, Scores):
        bias = float((predicted - labels).mean())
        return Slice(title, name, count, pearson(labels, predicted), bootstrap_pearson(labels, predicted), bias)
    hits = int(predictions.is_right[chosen].sum())
    majority = None if title == LABEL else float(np.unique(labels, axis=0, return_counts=True)[1].max() / count)
    return Slice(title, name, count, hits / count, wilson_interval(hits, count), majority)


@dataclass(frozen=True)
class NeighbourErrors:
    """Mistakes between neighbouring classes of an ordered scale.

    Args:
        count: Number of examples.
        within_one: Predictions at most one class away.
        mistakes: Wrong predictions.
        adjacent: Wrong predictions exactly one class away.
    """

    count: int
    within_one: int
    mistakes: int
    adjacent: int


def count_neighbour_errors(predictions: Predictions) -> NeighbourErrors | None:
    """Count near misses; None where the classes have no order (they have one where the file numbers them)."""
    if not isinstance(predictions.task.labels, Classes) or getattr(predictions.task, "classes", None) is not None:
        return None
    distance = np.abs(predictions.predictions - predictions.labels)
    return NeighbourErrors(
        count=len(distance),
        within_one=int((distance <= 1).sum()),
        mistakes=int((distance > 0).sum()),
        adjacent=int((distance == 1).sum()),
    )
