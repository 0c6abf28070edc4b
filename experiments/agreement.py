"""How well estimated differences agree with measured ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from experiments.statistics import Interval

Floats = NDArray[np.float64]
FEWEST = 4  # pairs for a fitted line: two numbers from three others


@dataclass(frozen=True)
class Agreement:
    """How well estimates agree with the truth.

    Args:
        pairs: Number of pairs.
        same_sign: Pairs with the same sign.
        clear: Pairs whose truth has an interval without 0.
        clear_same_sign: Those of them with the same sign.
        rank_correlation: Spearman's correlation; NaN where one side is constant or there are fewer than three pairs.
        error: Mean absolute difference between the truth and a line through the other pairs (leave one out).
        error_of_mean: The same for the mean of the other pairs: what an estimate that says nothing has. Both are NaN
            for fewer than four pairs.
    """

    pairs: int
    same_sign: int
    clear: int
    clear_same_sign: int
    rank_correlation: float
    error: float
    error_of_mean: float

    def sentence(self) -> str:
        """Say it in one sentence."""
        signs = (
            f"{self.same_sign} of {self.pairs} signs agree, and {self.clear_same_sign} of the {self.clear} whose "
            "trained interval leaves out 0"
        )
        if np.isnan(self.error):
            return f"Estimate and training: {signs}; too few pairs for more."
        return (
            f"Estimate and training: {signs}; rank correlation {self.rank_correlation:+.2f}; a line through the other "
            f"pairs misses a trained difference by {self.error:.3f} on average, their mean alone by "
            f"{self.error_of_mean:.3f}."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers by name."""
        return dict(vars(self))


def compare_estimates(estimated: Sequence[float], trained: Sequence[Interval]) -> Agreement:
    """Compare estimates, in whatever unit, with measured differences.

    Args:
        estimated: The estimates, [n].
        trained: The measured differences in the same order, [n].
    """
    one, other = np.asarray(estimated, dtype=float), np.array([each.estimate for each in trained])
    same = np.sign(one) == np.sign(other)
    clear = np.array([each.excludes_zero for each in trained], dtype=bool)
    is_ranked = len(one) > 2 and np.ptp(one) > 0 and np.ptp(other) > 0
    return Agreement(
        pairs=len(one),
        same_sign=int(same.sum()),
        clear=int(clear.sum()),
        clear_same_sign=int((same & clear).sum()),
        rank_correlation=float(stats.spearmanr(one, other).statistic) if is_ranked else float("nan"),
        error=_error_left_out(one, other, degree=1),
        error_of_mean=_error_left_out(one, other, degree=0),
    )


def _error_left_out(x: Floats, y: Floats, *, degree: int) -> float:
    """Return the mean absolute error of a polynomial fitted without the pair that it predicts."""
    if len(x) < FEWEST:
        return float("nan")
    scaled = x / (np.abs(x).max() or 1.0)
    errors = []
    for place in range(len(x)):
        kept = np.arange(len(x)) != place
        powers = np.vander(scaled, degree + 1)
        line = np.linalg.lstsq(powers[kept], y[kept])[0]
        errors.append(abs(float(powers[place] @ line) - y[place]))
    return float(np.mean(errors))
