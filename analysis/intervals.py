"""How far a score of few examples can be trusted, and whether two runs differ by more than chance."""

import numpy as np
from numpy.typing import NDArray

from analysis.resampling import resample_scores, score_runs
from analysis.weighted_counts import Floats
from tasks.metrics import MetricName

Ends = tuple[float, float]  # of a 95 % interval
RESAMPLES = 1000
FEWEST = 10  # examples that an interval of a correlation needs


def wilson_interval(hits: int, count: int) -> Ends:
    """Return the 95 % Wilson score interval of a share.

    Args:
        hits: Examples that count.
        count: All examples, at least 1.

    Source: Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953
    """
    from scipy.stats import binomtest

    interval = binomtest(hits, count).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)


def pearson(labels: Floats, predictions: Floats) -> float | None:
    """Return Pearson's correlation; None where it is undefined: fewer than two examples, or all values equal."""
    if len(labels) < 2:
        return None
    value = float(score_runs("pearson", labels, predictions[None])[0])
    return None if np.isnan(value) else value


def bootstrap_pearson(labels: Floats, predictions: Floats) -> Ends | None:
    """Return the 95 % percentile bootstrap interval of Pearson's correlation, the same at each call.

    Returns:
        The interval over 1,000 resamples of the examples; None where the correlation is undefined or there are fewer
        than ten examples.
    """
    if len(labels) < FEWEST or pearson(labels, predictions) is None:
        return None
    return _bootstrap("pearson", labels, predictions[None])


def auc(labels: Floats, ranking: Floats) -> float | None:
    """Return the area under the ROC curve: how often a positive row ranks above a negative one; None without either.

    Args:
        labels: 1 for positive rows, 0 for the others, (n,).
        ranking: What ranks the rows, (n,).
    """
    if not len(labels):
        return None
    value = float(score_runs("auroc", labels, ranking[None])[0])
    return None if np.isnan(value) else value


def bootstrap_auc(labels: Floats, ranking: Floats) -> Ends | None:
    """Return the 95 % percentile bootstrap interval of an AUC; None under ten rows of either class."""
    if min((labels == 1).sum(), (labels == 0).sum()) < FEWEST:
        return None
    return _bootstrap("auroc", labels, ranking[None])


def bootstrap_mean(values: Floats) -> Ends | None:
    """Return the 95 % percentile bootstrap interval of a mean; None under ten values."""
    if len(values) < FEWEST:
        return None
    rng = np.random.default_rng(0)
    means = [values[rng.integers(len(values), size=len(values))].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def bootstrap_difference(metric: MetricName, labels: Floats, first: Floats, second: Floats) -> Ends | None:
    """Return the 95 % paired bootstrap interval of the difference of two scores, first minus second.

    Args:
        metric: How predictions are scored.
        labels: The labels, (n,).
        first: Predictions of one model, (n,).
        second: Predictions of another for the same rows, (n,).

    Returns:
        The interval; None under ten rows, or where a score is undefined.
    """
    if len(labels) < FEWEST:
        return None
    return _bootstrap(metric, labels, np.stack([first, second]), contrast=(1.0, -1.0))


def _bootstrap(
    metric: MetricName, labels: Floats, predictions: Floats, *, contrast: tuple[float, ...] = (1.0,)
) -> Ends | None:
    """Return the interval of a weighted sum of the runs' scores."""
    rng = np.random.default_rng(0)
    scores = resample_scores(metric, labels, predictions, samples=RESAMPLES, rng=rng) @ np.array(contrast)
    if np.isnan(scores).all():
        return None
    low, high = np.nanquantile(scores, [0.025, 0.975])
    return float(low), float(high)


def mcnemar(first_right: NDArray[np.bool_], second_right: NDArray[np.bool_]) -> float:
    """Return the exact p value of McNemar's test that two systems are right equally often.

    Only the rows count that exactly one of them gets right; without a difference each is as likely to favour either.

    Args:
        first_right: Whether one system is right, (n,).
        second_right: Whether the other is, (n,).

    Returns:
        The two-sided p value; 1 where they never differ.

    Source: McNemar 1947, https://doi.org/10.1007/BF02295996
    """
    from scipy.stats import binomtest

    only_first, changed = int((first_right & ~second_right).sum()), int((first_right != second_right).sum())
    return float(binomtest(only_first, changed).pvalue) if changed else 1.0
