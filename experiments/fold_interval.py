"""What the scores of a cross-validation say about such a training in general."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from experiments.statistics import Interval


def fold_interval(scores: Sequence[float], folds: int, *, confidence: float = 0.95) -> Interval:
    """Return the mean over folds with its corrected t interval.

    It is about the expected score of this training on other rows of the same kind, with (folds - 1) / folds as many
    rows to train on as the file has: a final model from all rows is usually a little better. Rows to train on and rows
    to score are both taken as drawn at random; with groups, whole groups are.

    The usual s / sqrt(K) is far too small: any two trainings share most of their rows, so that their scores are not
    independent. No unbiased estimate of the variance of cross-validation exists (Bengio & Grandvalet 2004,
    https://www.jmlr.org/papers/v5/grandvalet04a.html). The correction takes the scores of two folds to correlate by the
    share of a fold, 1 / K, which multiplies the variance of the mean by 1 + K / (K - 1), more than 2. That is an
    approximation. Over five folds the interval reaches 1.86 standard deviations of the scores to either side.

    Args:
        scores: A score, or a difference of two systems, for each finished fold.
        folds: Number of folds (K).
        confidence: Share of such intervals that hold the truth.

    Returns:
        The interval; its ends are NaN for one score.

    Source: Nadeau & Bengio 2003, https://doi.org/10.1023/A:1024068626366
    """
    mean = float(np.mean(scores))
    if len(scores) < 2:
        return Interval(mean, math.nan, math.nan)
    spread = float(np.std(scores, ddof=1)) * math.sqrt(1 / len(scores) + 1 / (folds - 1))
    half = float(stats.t.ppf((1 + confidence) / 2, len(scores) - 1)) * spread
    return Interval(mean, mean - half, mean + half)
