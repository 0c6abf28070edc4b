"""Accuracy, Pearson's correlation and AUC of several runs at once, also on rows drawn with replacement."""

from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Metric = Literal["accuracy", "pearson"]
Measure = Metric | Literal["auc"]  # auc: labels are 0 or 1, predictions are what ranks the rows
Floats = NDArray[np.float64]
CHUNK = 128  # resamples at once: of 20,000 rows, 20 MB
SAME = 1e-12  # relative: a smaller difference is rounding


def score_runs(metric: Measure, labels: Floats, predictions: Floats) -> Floats:
    """Score each run.

    Args:
        metric: `accuracy`, `pearson` or `auc`.
        labels: The labels, (n,).
        predictions: One run per row, (K, n).

    Returns:
        The scores, (K,); NaN where one is undefined: a correlation where all predictions or all labels are equal, an
            AUC where one class has no rows.
    """
    scores: Floats = _weighted_scores(metric, labels, predictions, np.ones((1, len(labels))))[0]
    return scores


def resample_scores(
    metric: Measure,
    labels: Floats,
    predictions: Floats,
    *,
    samples: int,
    rng: Generator,
    among: tuple[NDArray[np.int64], int] | None = None,
) -> Floats:
    """Score each run on rows drawn with replacement, the same rows for all runs: the paired bootstrap.

    Args:
        metric: `accuracy`, `pearson` or `auc`.
        labels: The labels, (n,).
        predictions: One run per row, (K, n).
        samples: Number of resamples.
        rng: Source of the draws.
        among: Places of the rows among all that are drawn from, (n,), and how many those are; None where they are all.
            Tasks over the same rows are drawn together with equal sources and the same number of all.

    Returns:
        The scores, (samples, K).

    Source: Efron & Tibshirani 1993; Berg-Kirkpatrick et al. 2012, https://aclanthology.org/D12-1091
    """
    places, total = (slice(None), len(labels)) if among is None else among
    parts = []
    for start in range(0, samples, CHUNK):
        count = min(CHUNK, samples - start)
        drawn = rng.integers(total, size=(count, total))
        weights = np.stack([np.bincount(rows, minlength=total)[places] for rows in drawn]).astype(np.float64)
        parts.append(_weighted_scores(metric, labels, predictions, weights))
    return np.concatenate(parts)


def _weighted_scores(metric: Measure, labels: Floats, predictions: Floats, weights: Floats) -> Floats:
    """Score each run on weighted rows: labels (n,), predictions (K, n) and weights (samples, n) to (samples, K)."""
    if metric == "accuracy":
        hits = (predictions == labels).astype(np.float64)
        accuracies: Floats = weights @ hits.T / weights.sum(axis=1, keepdims=True)
        return accuracies
    if metric == "auc":
        return np.stack([_weighted_auc(labels, run, weights) for run in predictions], axis=1)
    x = labels - labels.mean()
    y = predictions - predictions.mean(axis=1, keepdims=True)
    total = weights.sum(axis=1, keepdims=True)
    mean_x, mean_y = (weights @ x[:, None]) / total, (weights @ y.T) / total
    covariance = (weights @ (x * y).T) / total - mean_x * mean_y
    correlations: Floats = covariance / (
        _spread((weights @ (x**2)[:, None]) / total, mean_x) * _spread((weights @ (y**2).T) / total, mean_y)
    )
    return correlations


def _weighted_auc(labels: Floats, ranking: Floats, weights: Floats) -> Floats:
    """Return the share of pairs of a positive and a negative row that are ranked right, ties counting half, (samples,).

    Source: Mann & Whitney 1947, https://doi.org/10.1214/aoms/1177730491
    """
    order = np.argsort(ranking, kind="stable")
    starts = np.flatnonzero(np.diff(ranking[order], prepend=-np.inf))  # of rows with the same value
    weights, is_positive = weights[:, order], labels[order] == 1
    positive = np.add.reduceat(weights * is_positive, starts, axis=1)
    negative = np.add.reduceat(weights * ~is_positive, starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    auc: Floats = (positive * below).sum(axis=1) / np.where(pairs > 0, pairs, np.nan)
    return auc


def _spread(squares: Floats, mean: Floats) -> Floats:
    """Return the standard deviation from the mean square and the mean; NaN where rounding is all there is of it."""
    variance = squares - mean**2
    return np.sqrt(np.where(variance > SAME * squares, variance, np.nan))
