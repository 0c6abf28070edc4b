"""A run beside a model that knows nothing but how many words two texts share, or which words a text has."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.intervals import bootstrap_difference, bootstrap_pearson, wilson_interval
from analysis.overlap_bands import Band, Estimate, rank_pairs, score_bands
from analysis.run import Predictions
from heads import Scores
from shortcuts.answers import number_bags
from shortcuts.features import Rarity, bag_of_words, overlap_features
from shortcuts.models import Features, Floats, correlate, cross_validate, draw_labelled, fit_and_predict
from tasks import Example
from tasks.metrics import MetricName


@dataclass(frozen=True)
class Shortcut:
    """A model that knows nothing but word overlap, or single words, beside a run.

    Args:
        features: What it knows: `word overlap` or `bag of words`.
        metric: What scores are: `accuracy`, or `pearson` for scores.
        train_rows: Rows of train that it learnt from.
        train_score: Its cross-validated score on them.
        constant: What predicting train's most frequent class scores; 0 for scores.
        score: Its score on the split.
        run: The run's score on the split.
        above: The run's score minus its own.
        agreement: How many predictions of the run are the shortcut's; of scores, the correlation of both.
        chance: How many would be if both had nothing in common but how often they say what; 0 for scores.
        explained: How many predictions of the run the same features tell when a model learns those instead of the
            labels, each row by a model that has not seen it; of scores, the squared
            correlation, the share of their variance.
        most_frequent: How many are the run's most frequent prediction, which needs no feature; 0 for scores.
        where_wrong: The run's accuracy where the shortcut is wrong; None for scores.
        auc: How well it ranks positive pairs above negative ones, as `bands` has it of the run; None for single texts
            and for three classes and more.
        bands: Scores of pairs by overlap and label; empty for single texts.
    """

    features: str
    metric: MetricName
    train_rows: int
    train_score: float
    constant: float
    score: Estimate
    run: Estimate
    above: Estimate
    agreement: Estimate
    chance: float
    explained: Estimate
    most_frequent: float
    where_wrong: Estimate | None
    auc: Estimate | None
    bands: list[Band]


def measure_shortcut(predictions: Predictions, train: Sequence[Example]) -> Shortcut | None:
    """Compare a run with a shortcut model, trained on the same train split.

    Args:
        predictions: What the run predicted for a split.
        train: The examples of the train split.

    Returns:
        Both; None where labels are sets, or train has too few rows or one label alone.
    """
    learnt = _learn(predictions, train)
    if learnt is None:
        return None
    is_score, is_pair = isinstance(predictions.task.labels, Scores), len(predictions.task.texts) == 2
    labels, asked, guessed = learnt.labels, learnt.asked, learnt.guessed
    tried = cross_validate(learnt.known, labels, is_score=is_score, groups=learnt.groups)
    own, right = predictions.predictions, predictions.labels
    wrong = guessed != right
    constant = predictions.task.labels.best_constant(labels)
    metric: MetricName = "pearson" if is_score else "accuracy"
    difference = _score(metric, right, own) - _score(metric, right, guessed)
    return Shortcut(
        features=learnt.features,
        metric=metric,
        train_rows=labels.size,
        train_score=_score(metric, labels, tried),
        constant=0.0 if is_score else float((right == constant).mean()),
        score=_estimate(metric, right, guessed),
        run=_estimate(metric, right, own),
        above=Estimate(difference, bootstrap_difference(metric, right, own, guessed), len(right)),
        agreement=_estimate(metric, own, guessed),
        chance=0.0 if is_score else _chance(own, guessed),
        explained=_explain(asked, own, _number_texts(predictions.examples), is_score=is_score),
        most_frequent=0.0 if is_score else float(np.unique(own, return_counts=True)[1].max() / len(own)),
        where_wrong=None if is_score or not wrong.any() else _estimate(metric, right[wrong], own[wrong]),
        auc=rank_pairs(replace(predictions, predictions=guessed, probabilities=learnt.shares)) if is_pair else None,
        bands=score_bands(predictions) if is_pair else [],
    )


def guess(predictions: Predictions, train: Sequence[Example]) -> tuple[str, Floats] | None:
    """Return what a shortcut model knows, and its answers to the rows of a split, (n,).

    Args:
        predictions: What a run predicted for the split; only its examples are read.
        train: The examples of the train split, which the model learns from.

    Returns:
        None where `measure_shortcut` has none.
    """
    learnt = _learn(predictions, train)
    return None if learnt is None else (learnt.features, learnt.guessed)


class _Learnt(NamedTuple):
    """A fitted shortcut model: the name of its features, what it learnt from, and what it says of a split."""

    features: str
    labels: Floats
    groups: NDArray[np.int64]
    known: Features
    asked: Features
    guessed: Floats
    shares: Floats | None


def _learn(predictions: Predictions, train: Sequence[Example]) -> _Learnt | None:
    if predictions.task.labels.is_set:
        return None
    is_score = isinstance(predictions.task.labels, Scores)
    labels = np.array([np.nan if example.label is None else example.label for example in train], dtype=np.float64)
    groups = _number_texts(train)
    rows = draw_labelled(labels, is_score=is_score, groups=groups)
    if not rows.size:
        return None
    name, known, asked = _build_features([train[int(row)] for row in rows], predictions.examples)
    guessed, shares = fit_and_predict(known, labels[rows], asked, is_score=is_score)
    return _Learnt(name, labels[rows], groups[rows], known, asked, guessed, shares)


def _build_features(learnt: Sequence[Example], asked: Sequence[Example]) -> tuple[str, Features, Features]:
    """Return the name of the features that fit the texts, those of train rows and those of the split's rows."""
    if len(asked[0].texts) == 1:
        bags = [bag_of_words([text for example in examples for text in example.texts]) for examples in (learnt, asked)]
        return "bag of words", bags[0], bags[1]
    rarity = Rarity(text for example in learnt for text in example.texts)
    pairs = [overlap_features([example.texts for example in examples], rarity) for examples in (learnt, asked)]
    return "word overlap", pairs[0], pairs[1]


def _number_texts(examples: Sequence[Example]) -> NDArray[np.int64]:
    """Return the number of each single text's words, of which a model has seen all rows or none; pairs stand alone."""
    texts = [example.texts for example in examples]
    return number_bags([text for (text,) in texts]) if texts and len(texts[0]) == 1 else np.arange(len(texts))


def _estimate(metric: MetricName, labels: Floats, predicted: Floats) -> Estimate:
    """Score predictions, with an interval."""
    value, count = _score(metric, labels, predicted), len(labels)
    if metric == "pearson":
        return Estimate(value, bootstrap_pearson(labels, predicted), count)
    return Estimate(value, wilson_interval(int((labels == predicted).sum()), count), count)


def _score(metric: MetricName, labels: Floats, predicted: Floats) -> float:
    return correlate(predicted, labels) if metric == "pearson" else float((predicted == labels).mean())


def _chance(first: Floats, second: Floats) -> float:
    """Return how often two labellings would agree if they were independent (as in Cohen's kappa)."""
    values = np.union1d(first, second)
    return float(sum((first == value).mean() * (second == value).mean() for value in values))


def _explain(features: Features, own: Floats, groups: NDArray[np.int64], *, is_score: bool) -> Estimate:
    """Return how many of a run's predictions the features tell; undefined where they are too few or all the same."""
    rows = draw_labelled(own, is_score=is_score, groups=groups)
    if not rows.size:
        return Estimate(None, None, 0)
    told = cross_validate(features[rows], own[rows], is_score=is_score, groups=groups[rows])
    own = own[rows]
    if not is_score:
        return _estimate("accuracy", own, told)
    found = _estimate("pearson", own, told)
    ends = found.interval and (max(0.0, found.interval[0]) ** 2, max(0.0, found.interval[1]) ** 2)
    return Estimate(max(0.0, found.value or 0.0) ** 2, ends, len(own))
