import numpy as np
import pytest
from scipy.stats import binomtest, pearsonr

from analysis.intervals import bootstrap_pearson, pearson, wilson_interval


@pytest.mark.parametrize(("hits", "count"), [(0, 3), (5, 5), (37, 90)])
def test_the_wilson_interval_is_that_of_scipy(hits: int, count: int):
    expected = binomtest(hits, count).proportion_ci(method="wilson")
    assert wilson_interval(hits, count) == pytest.approx((expected.low, expected.high), abs=1e-9)


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
