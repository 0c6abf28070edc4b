import numpy as np
import pytest
from scipy import stats

from analysis.resampling import resample_scores, score_runs

RNG = np.random.default_rng(3)


def test_accuracy_by_hand():
    labels, predictions = np.array([0.0, 1, 2, 1]), np.array([[0.0, 1, 2, 2], [1.0, 0, 0, 0]])
    assert score_runs("accuracy", labels, predictions).tolist() == [0.75, 0.0]


def test_pearson_is_that_of_scipy():
    labels, predictions = RNG.normal(size=50), RNG.normal(size=(3, 50)) * 7 + 100
    expected = [stats.pearsonr(labels, line).statistic for line in predictions]
    assert score_runs("pearson", labels, predictions) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", ["accuracy", "pearson"])
def test_a_resample_scores_the_drawn_rows(metric):
    labels = RNG.integers(2, size=30).astype(float)
    predictions = RNG.integers(2, size=(2, 30)).astype(float)
    found = resample_scores(metric, labels, predictions, samples=3, rng=np.random.default_rng(5))
    drawn = np.random.default_rng(5).integers(30, size=(3, 30))
    expected = [score_runs(metric, labels[rows], predictions[:, rows]) for rows in drawn]
    assert found == pytest.approx(np.array(expected))


def test_the_standard_error_of_an_accuracy_is_the_binomial_one():
    labels = np.ones(1101)
    predictions = (np.arange(1101) < 558).astype(float)[None]
    spread = resample_scores("accuracy", labels, predictions, samples=2000, rng=np.random.default_rng(0)).std()
    assert spread == pytest.approx(np.sqrt(0.507 * 0.493 / 1101), rel=0.05)  # 0.0151
