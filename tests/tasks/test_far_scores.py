"""Scores far from 0."""

import numpy as np
import pytest
import sklearn.metrics
import torch

from heads import Scores
from tasks.metrics import build_metric


@pytest.mark.parametrize(("low", "high"), [(1990.0, 2020.0), (1e6, 1e6 + 10), (-1e7 - 10, -1e7), (0.0, 1e30)])
def test_r2_of_labels_far_from_zero_is_that_of_scikit_learn(low: float, high: float) -> None:
    rng = np.random.default_rng(0)
    labels = rng.uniform(low, high, 200).astype(np.float32)
    predictions = (labels + rng.normal(0, (high - low) / 5, 200)).astype(np.float32)
    metric = build_metric("r2", Scores(low, high))
    for rows in np.array_split(np.arange(200), 7):
        metric.update(preds=torch.from_numpy(predictions[rows]), target=torch.from_numpy(labels[rows]))
    expected = sklearn.metrics.r2_score(labels.astype(np.float64), predictions.astype(np.float64))
    assert float(metric.compute()) == pytest.approx(expected, rel=1e-9)
