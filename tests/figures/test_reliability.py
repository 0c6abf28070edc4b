import math

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import multiclass_calibration_error

from figures import bin_confidence


def test_the_error_of_a_few_predictions_by_hand():
    reliability = bin_confidence(np.array([0.55, 0.6, 0.95, 0.85]), np.array([True, False, True, True]), num_bins=10)
    assert reliability.counts.tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 1, 1]  # 0.6 belongs to the bin that it ends
    assert reliability.accuracy[5] == pytest.approx(0.5)
    assert reliability.confidence[5] == pytest.approx(0.575)
    assert reliability.expected_error == pytest.approx((2 * 0.075 + 0.15 + 0.05) / 4)


def test_the_error_is_that_of_torchmetrics():
    rng = np.random.default_rng(0)
    probabilities = torch.from_numpy(rng.dirichlet(np.ones(5), 500))
    labels = torch.from_numpy(rng.integers(0, 5, 500))
    confidence, predicted = probabilities.max(dim=1)
    expected = float(multiclass_calibration_error(probabilities, labels, num_classes=5, n_bins=10, norm="l1"))
    found = bin_confidence(confidence.numpy(), (predicted == labels).numpy(), num_bins=10)
    assert found.expected_error == pytest.approx(expected, abs=1e-6)


def test_certain_predictions_fall_into_the_last_bin_and_none_have_no_error():
    assert bin_confidence(np.array([1.0]), np.array([True])).counts.tolist() == [0] * 9 + [1]
    assert bin_confidence(np.array([0.0]), np.array([True])).counts.tolist() == [1] + [0] * 9
    assert math.isnan(bin_confidence(np.empty(0), np.empty(0, dtype=bool)).expected_error)
