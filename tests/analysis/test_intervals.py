import numpy as np
import pytest
from scipy.stats import norm, pearsonr

from analysis.intervals import bootstrap_pearson, mcnemar, pearson, wilson_interval


@pytest.mark.parametrize(("hits", "count"), [(0, 3), (5, 5), (37, 90)])
def test_the_ends_of_a_wilson_interval_solve_its_equation(hits: int, count: int):
    low, high = wilson_interval(hits, count)
    assert 0 <= low < high <= 1
    for share in (low, high):  # (hits / n - p)^2 = z^2 p (1 - p) / n
        expected = norm.ppf(0.975) ** 2 * share * (1 - share) / count
        assert (hits / count - share) ** 2 == pytest.approx(expected, abs=1e-12)


def test_the_bootstrap_interval_repeats_and_holds_the_correlation():
    rng = np.random.default_rng(1)
    labels = rng.uniform(0, 5, 60)
    predictions = labels + rng.normal(0, 2, 60)
    expected = pearsonr(labels, predictions)
    interval = bootstrap_pearson(labels, predictions)
    assert interval is not None
    assert interval == bootstrap_pearson(labels, predictions)
    assert pearson(labels, predictions) == pytest.approx(expected.statistic)
    assert interval == pytest.approx(tuple(expected.confidence_interval()), abs=0.06)  # Fisher's


def test_a_correlation_with_a_constant_is_undefined():
    assert pearson(np.ones(20), np.arange(20.0)) is None
    assert pearson(np.ones(1), np.ones(1)) is None
    assert bootstrap_pearson(np.arange(20.0), np.ones(20)) is None
    assert bootstrap_pearson(np.arange(9.0), np.arange(9.0)) is None  # fewer than ten


def test_mcnemar_by_hand():
    # Six rows that only the first gets right and one that only the second does: 2 * (1 + 7) * (1/2)^7.
    first, second = np.array([True] * 9 + [False]), np.array([False] * 6 + [True] * 4)
    assert mcnemar(first, second) == pytest.approx(2 * (1 + 7) / 2**7)
    assert mcnemar(second, first) == mcnemar(first, second)
    assert mcnemar(first, first) == 1.0
