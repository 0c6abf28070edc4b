import numpy as np
import torch
from torchmetrics.functional.classification import multiclass_confusion_matrix

from figures import count_confusions, draw_confusion, most_frequent_confusions, to_svg


def test_rows_are_labels_and_columns_predictions():
    found = count_confusions(np.array([0.0, 0.0, 2.0]), np.array([1.0, 1.0, 2.0]), 3)
    assert found.counts.tolist() == [[0, 2, 0], [0, 0, 0], [0, 0, 1]]


def test_the_counts_are_those_of_torchmetrics():
    rng = np.random.default_rng(0)
    labels, predictions = rng.integers(0, 5, (2, 200))
    expected = multiclass_confusion_matrix(torch.from_numpy(predictions), torch.from_numpy(labels), 5)
    assert count_confusions(labels, predictions, 5).counts.tolist() == expected.tolist()


def test_of_many_classes_those_with_the_most_mistakes_are_counted_by_hand():
    labels = np.array([0, 0, 0, 3, 3, 7, 7, 7, 7, 9])
    predictions = np.array([0, 7, 7, 3, 3, 0, 0, 7, 2, 9])
    # mistakes of 0: 2 as label + 2 as prediction; of 7: 3 + 2; of 2: 1; of 3 and 9: none.
    found = count_confusions(labels, predictions, 1000, most=2)
    assert found.classes.tolist() == [0, 7]
    assert found.counts.tolist() == [[1, 2], [2, 1]]
    assert found.totals.tolist() == [3, 4]
    assert found.shares[1].tolist() == [0.5, 0.25]  # the fourth was taken for class 2, which is not shown
    assert found.is_part
    assert not count_confusions(labels, predictions, 10, most=10).is_part
    assert most_frequent_confusions(labels, predictions, 3) == [((0, 7), 2), ((7, 0), 2), ((7, 2), 1)]


def test_a_hundred_thousand_classes_are_counted_and_drawn_at_once():
    rng = np.random.default_rng(0)
    labels, predictions = rng.integers(0, 100_000, (2, 1000))
    found = count_confusions(labels, predictions, 100_000)
    svg = to_svg(draw_confusion(found, [str(number) for number in range(100_000)]), name="x", label="")
    assert found.counts.shape == (30, 30)
    assert len(svg) < 500_000
    assert "the 30 most confused of 100,000 classes" in svg
