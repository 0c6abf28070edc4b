"""Metrics of a model whose numbers are no numbers."""

import math

import pytest
import torch

from heads import Classes, YesNo
from tasks.metrics import MetricName, build_metric


@pytest.mark.parametrize("name", ["auroc", "average_precision", "expected_calibration_error"])
@pytest.mark.parametrize("labels", [YesNo(), Classes(3)])
def test_metrics_of_probabilities_that_are_none_are_undefined(name: MetricName, labels: YesNo | Classes) -> None:
    probabilities = torch.full((6, labels.num_classes), 0.5)
    probabilities[:2] = torch.nan
    given = {"probabilities": probabilities, "target": torch.tensor([0, 1, 0, 1, 1, 0])}
    more = {"preds": torch.zeros(6, dtype=torch.int64)} if name == "expected_calibration_error" else {}
    metric = build_metric(name, labels)
    metric.update(**given, **more)
    assert math.isnan(float(metric.compute()))
