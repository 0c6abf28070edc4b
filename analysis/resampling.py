"""Accuracy and Pearson's correlation of several runs at once, also on rows drawn with replacement."""

from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Metric = Literal["accuracy", "pearson"]
Floats = NDArray[np.float64]
CHUNK = 128  # resamples at once: of 20,000 rows, 20 MB
SAME = 1e-12  # relative: a smaller difference is rounding


def score_runs(metric: Metric, labels: Floats, predictions: Floats) -> Floats:
    """Score each run.

    Args:
        metric: `accuracy` or `pearson`.
        labels: The labels, (n,).
        predictions: One run per row, (K, n).

    Returns:
        The scores, (K,); NaN where all predictions, or all labels, are equal and a correlation is undefined.
    """
    scores: Floats = _weighted_scores(metric, labels, predictions, np.ones((1, len(labels))))[0]
    return scores


def resample_scores(metric: Metric, labels: Floats, predictions: Floats, *, samples: int, rng: Generator) -> Floats:
    """Score each run on rows drawn with replacement, the same rows for all runs: the paired bootstrap.

    Args:
        metric: `accuracy` or `pearson`.
        labels: The labels, (n,).
        predictions: One run per row, (K, n).
        samples: Number of resamples.
        rng: Source of the draws.

    Returns:
        The scores, (samples, K).

    Source: Efron & Tibshirani 1993; Berg-Kirkpatrick et al. 2012, https://aclanthology.org/D12-1091
    """
    parts = []
    for start in range(0, samples, CHUNK):
        count = min(CHUNK, samples - start)
        drawn = rng.integers(len(labels), size=(count, len(labels)))
        weights = np.stack([np.bincount(rows, minlength=len(labels)) for rows in drawn]).astype(np.float64)
        parts.append(_weighted_scores(metric, labels, predictions, weights))
    return np.concatenate(parts)


def _weighted_scores(metric: Metric, labels: Floats, predictions: Floats, weights: Floats) -> Floats:
    """Score each run on weighted rows: labels (n,), predictions (K, n) and weights (samples, n) to (samples, K)."""
    if metric == "accuracy":
        hits = (predictions == labels).astype(np.float64)
        accuracies: Floats = weights @ hits.T / weights.sum(axis=1, keepdims=True)
        return accuracies
    x = labels - labels.mean()
    y = predictions - predictions.mean(axis=1, keepdims=True)
    total = weights.sum(axis=1, keepdims=True)
    mean_x, mean_y = (weights @ x[:, None]) / total, (weights @ y.T) / total
    covariance = (weights @ (x * y).T) / total - mean_x * mean_y
    correlations: Floats = covariance / (
        _spread((weights @ (x**2)[:, None]) / total, mean_x) * _spread((weights @ (y**2).T) / total, mean_y)
    )
    return correlations


def _spread(squares: Floats, mean: Floats) -> Floats:
    """Return the standard deviation from the mean square and the mean; NaN where rounding is all there is of it."""
    variance = squares - mean**2
    return np.sqrt(np.where(variance > SAME * squares, variance, np.nan))
