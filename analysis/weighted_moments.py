"""Metrics of numbers that follow from means and mean squares, on weighted rows, each for many weightings at once."""

import numpy as np

from analysis.weighted_counts import Floats, divide

SAME = 1e-12  # relative: a smaller difference is rounding


def pearson(labels: Floats, run: Floats, weights: Floats) -> Floats:
    """Return Pearson's correlation; NaN where all labels or all predictions are equal."""
    x, y = labels - labels.mean(), run - run.mean()
    mean_x, mean_y, square_x, square_y, product = _means(weights, x, y, x**2, y**2, x * y)
    correlations: Floats = (product - mean_x * mean_y) / (_spread(square_x, mean_x) * _spread(square_y, mean_y))
    return correlations


def r2(labels: Floats, run: Floats, weights: Floats) -> Floats:
    """Return the share of the labels' variance that is explained; NaN where all labels are equal."""
    x = labels - labels.mean()
    mean, square, residual = _means(weights, x, x**2, (run - labels) ** 2)
    explained: Floats = 1 - residual / _spread(square, mean) ** 2
    return explained


def quadratic_kappa(labels: Floats, run: Floats, weights: Floats) -> Floats:
    """Return kappa with squared distances of classes; NaN where labels and predictions are all of one class.

    Source: Cohen 1968, https://doi.org/10.1037/h0026256
    """
    means = _means(weights, labels, run, labels**2, run**2, (labels - run) ** 2)
    mean_x, mean_y, square_x, square_y, distance = means
    return 1 - divide(distance, square_x + square_y - 2 * mean_x * mean_y)


def _means(weights: Floats, *columns: Floats) -> Floats:
    """Return the mean of each column, (columns, samples); NaN where no row has weight."""
    return divide(weights @ np.stack(columns, axis=1), weights.sum(axis=1, keepdims=True)).T


def _spread(squares: Floats, mean: Floats) -> Floats:
    """Return the standard deviation from the mean square and the mean; NaN where rounding is all there is of it."""
    variance = squares - mean**2
    return np.sqrt(np.where(variance > SAME * squares, variance, np.nan))
