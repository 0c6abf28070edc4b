import math
import warnings
from typing import Any, get_args

import pytest
import scipy.stats
import torch
from torch import tensor

from heads import Classes, LabelSets, LabelSpace, Scores, YesNo
from tasks.metrics import DEFAULT_METRICS, MetricName, build_metric

FIVE, YES_NO, STARS = Classes(5), YesNo(), Scores(0, 5)
SPACES = {type(labels): labels for labels in (FIVE, YES_NO, STARS, LabelSets(2))}


def compute(name: MetricName, labels: LabelSpace, predictions: list[float], targets: list[float]) -> float:
    """Return a metric over batches of three."""
    metric = build_metric(name, labels)
    for batch in range(0, len(targets), 3):
        metric.update(tensor(predictions[batch : batch + 3]), tensor(targets[batch : batch + 3]))
    return metric.compute().item()


# 3 true positives, 1 false positive, 2 false negatives, 2 true negatives
YES_NO_PREDICTIONS, YES_NO_TARGETS = [1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 0, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", 5 / 8),
        ("f1", 2 * 3 / (2 * 3 + 1 + 2)),
        ("macro_f1", (6 / 9 + 2 * 2 / (2 * 2 + 2 + 1)) / 2),
        ("matthews", (3 * 2 - 1 * 2) / (4 * 5 * 3 * 4) ** 0.5),
    ],
)
def test_yes_no_metrics_by_hand(name, expected):
    assert compute(name, YES_NO, YES_NO_PREDICTIONS, YES_NO_TARGETS) == pytest.approx(expected)


# Class 0: 2 of 2 right, 1 too many. 1: 0 of 1. 2: 1 of 2. 3: 1 of 1, 1 too many. 4: 1 of 1.
CLASS_PREDICTIONS, CLASS_TARGETS = [0, 0, 0, 2, 3, 3, 4], [0, 0, 1, 2, 2, 3, 4]


def test_class_metrics_by_hand():
    assert compute("accuracy", FIVE, CLASS_PREDICTIONS, CLASS_TARGETS) == pytest.approx(5 / 7)
    by_class = [4 / 5, 0, 2 / 3, 2 / 3, 1]
    assert compute("macro_f1", FIVE, CLASS_PREDICTIONS, CLASS_TARGETS) == pytest.approx(sum(by_class) / 5)


def test_matthews_is_the_correlation_of_the_one_hot_labels():
    predictions, targets = torch.eye(5)[CLASS_PREDICTIONS], torch.eye(5)[CLASS_TARGETS]
    predictions, targets = predictions - predictions.mean(0), targets - targets.mean(0)
    expected = (predictions * targets).sum() / ((predictions**2).sum() * (targets**2).sum()).sqrt()
    assert compute("matthews", FIVE, CLASS_PREDICTIONS, CLASS_TARGETS) == pytest.approx(expected.item())


def test_correlations_equal_scipy_with_ties():
    torch.manual_seed(0)
    targets = (torch.rand(200) * 5).round(decimals=1)
    predictions = (targets + torch.randn(200)).clamp(0, 5)  # ties at both ends
    assert (predictions == 5).sum() > 5
    pearson = scipy.stats.pearsonr(predictions.numpy(), targets.numpy()).statistic
    spearman = scipy.stats.spearmanr(predictions.numpy(), targets.numpy()).statistic
    assert compute("pearson", STARS, predictions.tolist(), targets.tolist()) == pytest.approx(pearson, abs=1e-5)
    assert compute("spearman", STARS, predictions.tolist(), targets.tolist()) == pytest.approx(spearman, abs=1e-5)


def test_mean_absolute_error_by_hand():
    assert compute("mean_absolute_error", STARS, [1.0, 2.5, 5.0, 0.0], [2.0, 2.5, 3.0, 1.0]) == pytest.approx(1.0)


@pytest.mark.parametrize(("kind", "names"), [*DEFAULT_METRICS.items()])
def test_usual_metrics_give_one_for_perfect_predictions(kind, names):
    assert len(names) == 2
    predictions: Any = [0.0, 1.0, 1.0, 0.0] if kind is Scores else [0, 1, 1, 0]
    predictions = [[0, 1], [1, 0], [1, 1]] if kind is LabelSets else predictions
    assert [compute(name, SPACES[kind], predictions, predictions) for name in names] == pytest.approx([1, 1])


AVERAGED = [f"{how}_{name}" for how in ("macro", "micro", "weighted") for name in ("f1", "precision", "recall")]
OF_CLASSES = [*AVERAGED, "accuracy", "matthews", "auroc", "average_precision", "kappa", "expected_calibration_error"]
FITTING = {
    Classes: [*OF_CLASSES, "quadratic_kappa"],
    YesNo: [*OF_CLASSES, "f1", "precision", "recall"],
    Scores: ["pearson", "spearman", "mean_absolute_error", "kendall", "r2", "rmse"],
    LabelSets: [*AVERAGED, "auroc", "average_precision", "exact_match", "hamming_loss"],
}


@pytest.mark.parametrize("kind", SPACES)
def test_each_metric_fits_its_labels_and_no_others(kind):
    names = get_args(MetricName)
    assert len(names) == 27
    fitting = []
    for name in names:
        try:
            build_metric(name, SPACES[kind])
            fitting.append(name)
        except ValueError as error:
            beginning, _, expected = str(error).partition(" (expected one of ")
            assert beginning == f"metric '{name}' does not fit {kind.plural}"
            assert sorted(expected.removesuffix(")").split(", ")) == sorted(FITTING[kind])
    assert sorted(fitting) == sorted(FITTING[kind])


def test_an_unknown_metric_lists_those_that_fit():
    with pytest.raises(ValueError, match=r"'acuracy' does not fit scores \(expected one of pearson"):
        build_metric("acuracy", STARS)


def test_building_a_metric_warns_of_nothing():
    with warnings.catch_warnings(action="error"):
        for kind, names in FITTING.items():
            for name in names:
                build_metric(name, SPACES[kind])


def test_a_correlation_does_not_depend_on_how_rows_fall_into_batches():
    """Nearly constant predictions, where float32 is off in the fourth digit."""
    labels = torch.rand(12, generator=torch.Generator().manual_seed(0)) * 5
    noise = torch.randn(12, generator=torch.Generator().manual_seed(1))
    predictions = 2.5 + 0.001 * labels + 0.0003 * noise
    expected = scipy.stats.pearsonr(predictions.double().numpy(), labels.double().numpy()).statistic
    for size in (1, 5, 12):
        metric = build_metric("pearson", STARS)
        for first in range(0, 12, size):
            metric.update(predictions[first : first + size], labels[first : first + size])
        assert float(metric.compute()) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["pearson", "spearman"])
def test_a_correlation_with_equal_values_is_undefined(name):
    values = [1.0, 3.5, 2.0, 4.0, 0.0]
    assert math.isnan(compute(name, STARS, [2.4731] * 5, values))
    assert math.isnan(compute(name, STARS, values, [2.4731] * 5))


@pytest.mark.parametrize("labels", [YES_NO, FIVE])
def test_matthews_of_one_class_is_undefined(labels):
    for predictions, targets in (([1] * 4, [0, 1, 1, 0]), ([0, 1, 1, 0], [1] * 4), ([1] * 4, [1] * 4)):
        assert math.isnan(compute("matthews", labels, predictions, targets))
    assert compute("matthews", labels, [0, 1, 0, 1], [1, 0, 1, 0]) == pytest.approx(-1)
