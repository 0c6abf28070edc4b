import numpy as np
import pytest

from shortcuts.features import bag_of_words
from shortcuts.models import correlate, cross_validate, draw_labelled, fit_and_predict

RNG = np.random.default_rng(0)


def test_rows_are_drawn_with_labels_and_from_classes_with_enough_of_them():
    labels = np.array([0.0, 1.0] * 30 + [np.nan] * 5 + [2.0] * 4)
    assert draw_labelled(labels, is_score=False).tolist() == list(range(60))
    assert draw_labelled(labels, is_score=True).tolist() == [*range(60), *range(65, 69)]
    few = draw_labelled(labels, is_score=False, most=55)
    assert len(few) == len(set(few)) <= 55
    assert few.tolist() == sorted(few)


@pytest.mark.parametrize("labels", [[0.0, 1.0] * 20, [1.0] * 80, [1.0] * 79 + [0.0], []])
def test_too_few_rows_or_one_label_alone_draw_nothing(labels):
    assert draw_labelled(np.array(labels), is_score=False).size == 0


def test_a_model_is_judged_on_rows_that_it_has_not_seen():
    labels = np.tile([0.0, 1.0], 100)
    own = bag_of_words([f"word{number}" for number in range(200)])  # each word tells one label, of its own row alone
    fitted, _ = fit_and_predict(own, labels, own, is_score=False)
    assert (fitted == labels).mean() > 0.95
    assert (cross_validate(own, labels, is_score=False) == labels).mean() < 0.65


def test_classes_keep_their_frequencies():
    labels = (RNG.random(2000) < 0.2).astype(np.float64)
    predicted, shares = fit_and_predict(RNG.normal(size=(2000, 3)), labels, np.zeros((5, 3)), is_score=False)
    assert predicted.tolist() == [0.0] * 5
    assert shares is not None
    assert shares.shape == (5, 2)
    assert shares[:, 1] == pytest.approx(labels.mean(), abs=0.02)


def test_scores_are_told_by_a_line():
    features = RNG.normal(size=(300, 2))
    labels = features @ [2.0, -1.0] + 3
    predicted, shares = fit_and_predict(features[:200], labels[:200], features[200:], is_score=True)
    assert shares is None
    assert correlate(predicted, labels[200:]) > 0.999
    assert correlate(cross_validate(features, labels, is_score=True), labels) > 0.999
    assert correlate(np.ones(3), np.arange(3.0)) == 0.0
