import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch
from torch import tensor
from torch.testing import assert_close

from heads import BinaryOutput, Classes, ClassOutput, ScoreOutput, Scores, YesNo
from heads.labels import classes_or_yes_no


@pytest.mark.parametrize(("num_classes", "expected"), [(2, YesNo()), (3, Classes(3)), (5, Classes(5))])
def test_two_classes_are_a_yes_no_question(num_classes, expected):
    labels = classes_or_yes_no(num_classes)
    assert labels == expected
    assert labels.num_classes == num_classes


def test_scores_keep_their_ends():
    labels = Scores(-1, 5)
    assert (labels.num_classes, labels.low, labels.high) == (0, -1, 5)


def test_a_label_space_is_frozen():
    with pytest.raises(FrozenInstanceError):
        Classes(3).num_classes = 4


@pytest.mark.parametrize(
    ("labels", "expected"),
    [(Classes(3), tensor([2, 0, -1])), (YesNo(), tensor([2, 0, -1])), (Scores(0, 5), tensor([2.0, 0.0, math.nan]))],
)
def test_stored_labels_become_what_losses_take(labels, expected):
    found = labels.as_tensor(np.array([2.0, 0.0, math.nan]))
    assert_close(found, expected, equal_nan=True)
    assert found.dtype == (torch.float32 if isinstance(labels, Scores) else torch.int64)


def test_the_best_constant_is_the_most_frequent_class_or_the_mean():
    assert Classes(3).best_constant(np.array([0.0, 2.0, 2.0])) == 2
    assert YesNo().best_constant(np.array([0.0, 1.0, 1.0])) == 1
    assert Scores(0, 5).best_constant(np.array([0.0, 1.0, 5.0])) == 2


def test_a_class_is_right_or_wrong_and_a_score_right_within_a_tenth_of_the_range():
    predictions, labels = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.5, 2.0])
    assert Classes(4).is_right(predictions, labels).tolist() == [True, False, False]
    assert YesNo().is_right(predictions[:1], labels[:1]).tolist() == [True]
    assert Scores(0, 5).is_right(predictions, labels).tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("labels", "fitting", "wrong", "expected"),
    [
        (Classes(3), [0, 2], [None, 3, -1], "the number of a class, 0 to 2"),
        (YesNo(), [None, 0, 1], [2, 0.5], "0 or 1, or none for 1"),
        (Scores(0, 5), [0.5, 5], [None, 0, 6], "the smallest positive score, above 0 to 5"),
    ],
)
def test_a_positive_label_has_to_be_one(labels, fitting, wrong, expected):
    for positive in fitting:
        labels.check_positive(positive)
    for positive in wrong:
        with pytest.raises(ValueError, match=f"^{expected}$"):
            labels.check_positive(positive)


def test_the_usual_output_is_the_one_of_its_kind():
    spaces = (Classes(3), YesNo(), Scores(0, 5))
    assert [labels.usual_output() for labels in spaces] == [ClassOutput(3), BinaryOutput(), ScoreOutput(0, 5)]
    assert [labels.usual_output().num_values for labels in spaces] == [3, 1, 1]
