import numpy as np
import torch
from torchmetrics.functional.classification import multiclass_confusion_matrix

from figures import count_confusions


def test_rows_are_labels_and_columns_predictions():
    counts = count_confusions(np.array([0.0, 0.0, 2.0]), np.array([1.0, 1.0, 2.0]), 3)
    assert counts.tolist() == [[0, 2, 0], [0, 0, 0], [0, 0, 1]]


def test_the_counts_are_those_of_torchmetrics():
    rng = np.random.default_rng(0)
    labels, predictions = rng.integers(0, 5, (2, 200))
    expected = multiclass_confusion_matrix(torch.from_numpy(predictions), torch.from_numpy(labels), 5)
    assert count_confusions(labels, predictions, 5).tolist() == expected.tolist()
