"""Thresholds: tuned for F1, and worth what they are worth on rows that tuning has not seen."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from analysis.tuned_thresholds import tune
from analysis.tuning import predict_held_out, tune_threshold, tune_thresholds
from tasks import MultiLabel, Source

TASK = MultiLabel(source=Source(train="a.csv"), texts=("text",), classes=("often", "rare"), separator=";")


def draw(rows: int, *, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities that are too low by a shift of the logit, and the labels."""
    rng = np.random.default_rng(0)
    labels = (rng.random((rows, 2)) < [0.5, 0.1]).astype(np.float64)
    logits = rng.normal(size=labels.shape) + 2 * labels - 1 - shift
    return 1 / (1 + np.exp(-logits)), labels


def test_no_threshold_has_a_better_f1():
    probabilities, labels = draw(60, shift=1.5)
    for shares, values in zip(probabilities.T, labels.T, strict=True):
        found = f1_score(values, shares > tune_threshold(shares, values == 1))
        others = [f1_score(values, shares > cut) for cut in [0, *shares]]
        assert found == pytest.approx(max(others))
        assert found > f1_score(values, shares > 0.5)


def test_rows_of_one_probability_are_cut_together():
    assert tune_threshold(np.array([0.4, 0.4, 0.4, 0.1]), np.array([True, False, True, False])) == pytest.approx(0.25)


def test_a_label_without_rows_keeps_one_half():
    assert tune_threshold(np.array([0.4, 0.9]), np.array([False, False])) == 0.5


def test_a_label_of_every_row_is_always_predicted():
    shares = np.array([0.4, 0.9])
    assert (shares > tune_threshold(shares, np.array([True, True]))).all()


def test_each_half_is_predicted_with_the_thresholds_of_the_other():
    probabilities, labels = draw(41)
    seen = []

    def remember(shares, values):
        seen.append(len(shares))
        return tune_thresholds(shares, values)

    predictions = predict_held_out(probabilities, labels, seed=3, tune=remember)
    assert sorted(seen) == [20, 21]
    assert set(np.unique(predictions)) == {0, 1}
    again = predict_held_out(probabilities, labels, seed=3)
    assert np.array_equal(predictions, again)
    assert not np.array_equal(predictions, predict_held_out(probabilities, labels, seed=4))


def test_thresholds_that_help_do_so_on_rows_that_tuning_has_not_seen():
    found = tune(TASK, *draw(2000, shift=1.5), seed=0)
    assert found.helps
    assert found.scores["half"]["macro_f1"] < found.scores["held_out"]["macro_f1"] <= found.scores["whole"]["macro_f1"]
    assert set(found.thresholds) == {"often", "rare"}


def test_what_only_fits_the_rows_it_was_tuned_on_does_not_help():
    """Probabilities without meaning: a threshold can only fit noise."""
    rng = np.random.default_rng(5)
    labels = (rng.random((12, 2)) < 0.5).astype(np.float64)
    probabilities = np.where(labels == 1, 0.6, 0.4) + rng.normal(size=labels.shape) * 0.01
    found = tune(TASK, probabilities, labels, seed=0)
    assert found.scores["half"]["macro_f1"] == 1
    assert not found.helps
