"""Weights of classes: those of scikit-learn where they are to be balanced."""

import math
from typing import Any

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from tasks import Classification, InputError, MultiLabel, Source

SOURCE = Source(train="a.csv")


def classes(weights: Any, **settings: Any) -> Classification:
    names = ("a", "b", "c")
    return Classification(source=SOURCE, texts=("text",), label="y", classes=names, class_weights=weights, **settings)


def sets(weights: Any) -> MultiLabel:
    return MultiLabel(source=SOURCE, texts=("text",), classes=("a", "b", "c"), separator=";", class_weights=weights)


LABELS = np.array([0, 0, 0, 0, 1, 1, 2], dtype=np.float64)


def test_balanced_weights_are_those_of_scikit_learn():
    found = classes("balanced").weigh_labels(LABELS)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)[LABELS.astype(int)]
    assert found == pytest.approx(expected)
    assert found.mean() == pytest.approx(1)
    assert found.dtype == np.float32


def test_balanced_weights_of_sets_are_those_of_scikit_learn_for_each_label():
    values = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 0, 0]], dtype=np.float64)
    found = sets("balanced").weigh_labels(values)
    for label in (0, 1):
        by_answer = compute_class_weight("balanced", classes=np.array([0, 1]), y=values[:, label])
        assert found[:, label] == pytest.approx(by_answer[values[:, label].astype(int)])
    assert found[:, 2] == pytest.approx(0.5)  # no row has it: 4 / (2 * 4)


def test_named_weights_are_those_of_their_class_and_of_a_label_that_applies():
    numbered = Classification(source=SOURCE, texts=("text",), label="y", num_classes=3, class_weights={2: 5.0})
    assert numbered.weigh_labels(LABELS).tolist() == [1, 1, 1, 1, 1, 1, 5]  # as YAML reads the name of a class
    assert classes({"c": 5.0}).weigh_labels(LABELS).tolist() == [1, 1, 1, 1, 1, 1, 5]
    values = np.array([[1, 0, 1], [0, 0, 0]], dtype=np.float64)
    assert sets({"a": 3.0}).weigh_labels(values).tolist() == [[3, 1, 1], [1, 1, 1]]


def test_gaps_do_not_count():
    gaps = np.array([0, math.nan, 0, 1, 2, math.nan])
    found = classes("balanced").weigh_labels(gaps)
    assert found[[0, 2, 3, 4]] == pytest.approx([4 / 6, 4 / 6, 4 / 3, 4 / 3])
    assert np.isfinite(found).all()
    rows = np.array([[1, 0, 0], [math.nan] * 3, [0, 1, 0]])
    assert sets("balanced").weigh_labels(rows)[0] == pytest.approx([2 / 2, 2 / 2, 2 / 4])


def test_a_class_without_rows_gets_no_infinite_weight():
    assert np.isfinite(classes("balanced").weigh_labels(np.array([0.0, 1.0]))).all()


def test_without_weights_there_are_none():
    assert classes(None).weigh_labels(LABELS) is None
    assert sets(None).weigh_labels(np.zeros((2, 3))) is None


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"d": 1.0}, r"Classification: class_weights has 'd' \(expected a, b, c\)"),
        ({"a": -1.0}, r"Classification: the weight of class a is -1.0 \(expected above 0\)"),
        ({"a": math.inf}, "the weight of class a is inf"),
    ],
)
def test_weights_that_do_not_fit_are_one_sentence(weights, message):
    with pytest.raises(InputError, match=message):
        classes(weights)


def test_neither_weights_nor_sampling_change_what_is_read():
    assert classes(None).reading_settings() == classes("balanced", sampling="balanced").reading_settings()
