"""How far a score of few examples can be trusted."""

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]
RESAMPLES = 1000
VALUES_AT_ONCE = 2_000_000  # of a bootstrap, for the sake of memory


def wilson_interval(hits: int, count: int) -> Interval:
    """Return the 95 % Wilson score interval of a share.

    Args:
        hits: Examples that count.
        count: All examples, at least 1.

    Source: Wilson 1927; statsmodels' proportion_confint.
    """
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(hits, count, alpha=0.05, method="wilson")
    return float(low), float(high)


def pearson(labels: NDArray[np.float64], predictions: NDArray[np.float64]) -> float | None:
    """Return Pearson's correlation; None where it is undefined: fewer than two examples, or all values equal."""
    if len(labels) < 2 or np.ptp(labels) == 0 or np.ptp(predictions) == 0:
        return None
    return float(np.corrcoef(labels, predictions)[0, 1])


def bootstrap_pearson(labels: NDArray[np.float64], predictions: NDArray[np.float64]) -> Interval | None:
    """Return the 95 % percentile bootstrap interval of Pearson's correlation, the same at each call.

    Returns:
        The interval over 1,000 resamples of the examples; None where the correlation is undefined or there are fewer
        than ten examples.
    """
    count = len(labels)
    if count < 10 or pearson(labels, predictions) is None:
        return None
    rng = np.random.default_rng(0)
    chunk = max(1, VALUES_AT_ONCE // count)
    sizes = [min(chunk, RESAMPLES - done) for done in range(0, RESAMPLES, chunk)]
    rows = (rng.integers(0, count, (size, count)) for size in sizes)
    values = np.concatenate([_correlate(labels[part], predictions[part]) for part in rows])
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


def _correlate(labels: NDArray[np.float64], predictions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Pearson's correlation of each resample, (resamples, n) to (resamples,); NaN where it is undefined."""
    x = labels - labels.mean(axis=1, keepdims=True)
    y = predictions - predictions.mean(axis=1, keepdims=True)
    is_constant = (np.ptp(labels, axis=1) == 0) | (np.ptp(predictions, axis=1) == 0)
    spread = np.where(is_constant, np.nan, np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1)))
    correlations: NDArray[np.float64] = (x * y).sum(axis=1) / spread
    return correlations
