import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from heads import Classes, Scores, YesNo
from tasks.class_scores import score_classes


@pytest.mark.parametrize("labels", [Classes(4), YesNo()])
def test_the_scores_of_classes_equal_scikit_learn(labels):
    rng = np.random.default_rng(0)
    classes = range(labels.num_classes)
    values, predictions = rng.integers(0, len(classes), (2, 50)).astype(np.float64)
    expected = precision_recall_fscore_support(values, predictions, labels=list(classes))
    found = list(score_classes(labels, predictions, values))
    assert len(found) == len(classes)
    for number, one in enumerate(found):
        assert [one.precision, one.recall, one.f1, one.rows] == pytest.approx([part[number] for part in expected])
        assert one.predicted == (predictions == number).sum()


def test_a_class_that_never_occurs_has_zeros():
    found = list(score_classes(Classes(3), np.array([0.0, 0.0]), np.array([0.0, 1.0])))
    assert (found[0].precision, found[0].recall, found[0].f1) == pytest.approx((0.5, 1, 2 / 3))
    assert [(one.precision, one.recall, one.f1, one.rows) for one in found[1:]] == [(0, 0, 0, 1), (0, 0, 0, 0)]


def test_scores_have_no_classes():
    assert list(score_classes(Scores(0, 5), np.array([1.0]), np.array([2.0]))) == []
