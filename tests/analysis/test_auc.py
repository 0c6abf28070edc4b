import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from analysis.intervals import auc, bootstrap_auc, bootstrap_difference, bootstrap_mean
from analysis.resampling import resample_scores, score_runs

RNG = np.random.default_rng(1)
LABELS = RNG.integers(0, 2, 300).astype(np.float64)
RANKING = np.round(RNG.normal(size=300) + 0.7 * LABELS, 1)  # with ties


def test_the_auc_is_that_of_scikit_learn():
    assert auc(LABELS, RANKING) == pytest.approx(roc_auc_score(LABELS, RANKING))
    assert auc(np.array([0.0, 1.0, 1.0]), np.array([0.2, 0.2, 0.9])) == 0.75
    both = score_runs("auroc", LABELS, np.stack([RANKING, -RANKING]))
    assert both == pytest.approx([roc_auc_score(LABELS, RANKING), 1 - roc_auc_score(LABELS, RANKING)])


def test_an_auc_needs_rows_of_both_classes():
    assert auc(np.ones(4), np.arange(4.0)) is None
    assert auc(np.empty(0), np.empty(0)) is None
    assert bootstrap_auc(np.array([1.0] * 30 + [0.0] * 9), np.arange(39.0)) is None


def test_resampled_aucs_are_those_of_the_drawn_rows():
    found = resample_scores("auroc", LABELS, RANKING[None], samples=3, rng=np.random.default_rng(5))
    drawn = np.random.default_rng(5).integers(300, size=(3, 300))
    assert found[:, 0] == pytest.approx([roc_auc_score(LABELS[rows], RANKING[rows]) for rows in drawn])


def test_intervals_hold_their_estimate_and_shrink_with_rows():
    low, high = bootstrap_auc(LABELS, RANKING)
    assert low < auc(LABELS, RANKING) < high
    narrow = bootstrap_auc(np.tile(LABELS, 4), np.tile(RANKING, 4))
    assert narrow[1] - narrow[0] < 0.6 * (high - low)


def test_the_interval_of_a_mean_is_about_two_standard_errors():
    low, high = bootstrap_mean(RANKING)
    error = RANKING.std() / 300**0.5
    assert (high - low) / (2 * 1.96 * error) == pytest.approx(1, abs=0.1)
    assert bootstrap_mean(np.arange(9.0)) is None


def test_a_paired_difference_knows_that_both_saw_the_same_rows():
    first = np.where(np.arange(300) % 10 == 0, 1 - LABELS, LABELS)  # 90 % right
    second = np.where(np.arange(300) % 10 <= 1, 1 - LABELS, LABELS)  # wrong on the same rows, and on 30 others
    low, high = bootstrap_difference("accuracy", LABELS, first, second)
    assert 0.06 < low < 0.1 < high < 0.14
    assert bootstrap_difference("accuracy", LABELS, first, first) == (0.0, 0.0)
    assert bootstrap_difference("accuracy", LABELS[:9], first[:9], second[:9]) is None
    assert bootstrap_difference("pearson", LABELS, np.ones(300), first) is None
