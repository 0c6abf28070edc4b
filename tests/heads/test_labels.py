from dataclasses import FrozenInstanceError

import pytest

from heads import LabelSpace


@pytest.mark.parametrize(("num_classes", "kind"), [(2, "binary"), (3, "class"), (5, "class")])
def test_two_classes_are_a_yes_no_question(num_classes, kind):
    labels = LabelSpace.of_classes(num_classes)
    assert (labels.kind, labels.num_classes) == (kind, num_classes)


def test_scores_keep_their_ends():
    labels = LabelSpace.of_scores(-1, 5)
    assert (labels.kind, labels.num_classes, labels.low, labels.high) == ("score", 0, -1, 5)


def test_a_label_space_is_frozen():
    with pytest.raises(FrozenInstanceError):
        LabelSpace.of_classes(3).num_classes = 4
