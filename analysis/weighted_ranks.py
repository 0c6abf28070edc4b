"""Metrics of the order of rows, on rows that count several times, each for many such counts at once."""

import numpy as np

from analysis.weighted_counts import Floats, Weighted, add_up, divide


def spearman(labels: Floats, run: Floats, weights: Floats) -> Floats:
    """Return Spearman's correlation; NaN where all labels or all predictions are equal."""
    total = weights.sum(axis=1, keepdims=True)
    x, y = (_rank(values, weights) - (total + 1) / 2 for values in (labels, run))  # (samples, n), with mean 0
    products = [(weights * one * other).sum(axis=1) for one, other in ((x, y), (x, x), (y, y))]
    return divide(products[0], np.sqrt(products[1] * products[2]))


def _rank(values: Floats, counts: Floats) -> Floats:
    """Return the rank from 1 of each row among all copies of the rows, the mean one of equal values, (samples, n)."""
    unique, place = np.unique(values, return_inverse=True)
    copies = add_up(counts, place, len(unique))
    ranks: Floats = np.cumsum(copies, axis=1) - (copies - 1) / 2
    return ranks[:, place]


def kendall(labels: Floats, run: Floats, weights: Floats) -> Floats:
    """Return Kendall's tau-b, one weighting after the other; NaN where all labels or all predictions are equal."""
    from scipy.stats import kendalltau

    drawn = (np.repeat(np.arange(len(labels)), counts.astype(np.int64)) for counts in weights)
    return np.array([kendalltau(labels[rows], run[rows], method="asymptotic").statistic for rows in drawn])


def over_questions(score: Weighted) -> Weighted:
    """Build a metric from that of a yes/no question: the mean over those, (n,) or (n, Q), that have both answers."""

    def mean(labels: Floats, run: Floats, weights: Floats) -> Floats:
        pairs = zip(*(values.reshape(len(labels), -1).T for values in (labels, run)), strict=True)
        values = np.stack([score(asked, ranking, weights) for asked, ranking in pairs])  # (Q, samples)
        return divide(np.nansum(values, axis=0), (~np.isnan(values)).sum(axis=0))

    return mean


def roc_area(is_yes: Floats, ranking: Floats, weights: Floats) -> Floats:
    """Return the share of pairs of a yes and a no that are ranked right, ties counting half; NaN without either.

    Source: Mann & Whitney 1947, https://doi.org/10.1214/aoms/1177730491
    """
    yes, no = _count_by_value(is_yes, ranking, weights)
    below = np.cumsum(no, axis=1) - no / 2
    return divide((yes * below).sum(axis=1), yes.sum(axis=1) * no.sum(axis=1))


def average_precision(is_yes: Floats, ranking: Floats, weights: Floats) -> Floats:
    """Return the mean of the precision at each threshold, weighted by the recall that it gains; NaN without yes or no.

    Rows of equal probability have one threshold.
    """
    yes, no = (part[:, ::-1] for part in _count_by_value(is_yes, ranking, weights))
    hits = np.cumsum(yes, axis=1)
    precision = divide(hits, np.cumsum(yes + no, axis=1), otherwise=0)
    has_both = (yes.any(axis=1) & no.any(axis=1)).astype(np.float64)
    return divide((yes * precision).sum(axis=1), has_both * hits[:, -1])


def _count_by_value(is_yes: Floats, ranking: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the weight of yes and of no at each value of the ranking, rising, (samples, values) each."""
    unique, place = np.unique(ranking, return_inverse=True)
    yes, no = (add_up(weights, place, len(unique), is_yes == answer) for answer in (1, 0))
    return yes, no
