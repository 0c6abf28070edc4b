"""Metrics of classes, probabilities and scores against scikit-learn and SciPy, by hand, and under two processes."""

import math
import multiprocessing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
import torch
from numpy.typing import NDArray
from sklearn import metrics as sklearn
from torchmetrics import MetricCollection

from figures import bin_confidence
from heads import Classes, LabelSets, LabelSpace, Scores, YesNo
from tasks.metrics import MetricName, build_metric

Arrays = tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]
Reference = Callable[[NDArray[Any], NDArray[Any], Any], float]
SPACES: dict[str, LabelSpace] = {"class": Classes(5), "binary": YesNo(), "score": Scores(0, 5), "sets": LabelSets(4)}


def averaged(score: Any, average: str) -> Reference:
    return lambda labels, predictions, _: score(labels, predictions, average=average, zero_division=0)


def calibration_error(labels: NDArray[Any], predictions: NDArray[Any], shares: NDArray[Any]) -> float:
    confidence = shares[np.arange(len(labels)), predictions].astype(np.float64)
    return bin_confidence(confidence, predictions == labels).expected_error


AVERAGES: dict[MetricName, Reference] = {
    f"{average}_{name}": averaged(score, average)
    for average in ("macro", "micro", "weighted")
    for name, score in (
        ("f1", sklearn.f1_score),
        ("precision", sklearn.precision_score),
        ("recall", sklearn.recall_score),
    )
}
REFERENCES: dict[str, dict[MetricName, Reference]] = {
    "class": {
        **AVERAGES,
        "auroc": lambda labels, _, shares: sklearn.roc_auc_score(labels, shares, multi_class="ovr"),
        "average_precision": lambda labels, _, shares: sklearn.average_precision_score(labels, shares),
        "kappa": lambda labels, predictions, _: sklearn.cohen_kappa_score(labels, predictions),
        "quadratic_kappa": lambda labels, predictions, _: sklearn.cohen_kappa_score(
            labels, predictions, weights="quadratic"
        ),
        "expected_calibration_error": calibration_error,
    },
    "binary": {
        **AVERAGES,
        "precision": lambda labels, predictions, _: sklearn.precision_score(labels, predictions),
        "recall": lambda labels, predictions, _: sklearn.recall_score(labels, predictions),
        "auroc": lambda labels, _, shares: sklearn.roc_auc_score(labels, shares[:, 1]),
        "average_precision": lambda labels, _, shares: sklearn.average_precision_score(labels, shares[:, 1]),
        "kappa": lambda labels, predictions, _: sklearn.cohen_kappa_score(labels, predictions),
        "expected_calibration_error": calibration_error,
    },
    "score": {
        "kendall": lambda labels, predictions, _: scipy.stats.kendalltau(labels, predictions).statistic,
        "r2": lambda labels, predictions, _: sklearn.r2_score(labels, predictions),
        "rmse": lambda labels, predictions, _: sklearn.root_mean_squared_error(labels, predictions),
    },
    "sets": {
        **AVERAGES,
        "auroc": lambda labels, _, shares: sklearn.roc_auc_score(labels, shares),
        "average_precision": lambda labels, _, shares: sklearn.average_precision_score(labels, shares),
        "exact_match": lambda labels, predictions, _: sklearn.accuracy_score(labels, predictions),
        "hamming_loss": lambda labels, predictions, _: sklearn.hamming_loss(labels, predictions),
    },
}


def draw(kind: str, rows: int) -> Arrays:
    """Return predictions, labels and probabilities with many ties, and a class of one row in a hundred."""
    rng = np.random.default_rng(0)
    if kind == "score":
        scores = rng.integers(0, 6, rows).astype(np.float32)
        return (scores + rng.normal(size=rows)).clip(0, 5).round(1).astype(np.float32), scores, None
    classes = SPACES[kind].num_classes
    if kind == "sets":
        sets = (rng.random((rows, classes)) < np.linspace(0.01, 0.5, classes)).astype(np.float32)
        shares = 1 / (1 + np.exp(-(rng.normal(size=sets.shape).round(1) + 3 * sets - 1.5)))
        return (shares > 0.5).astype(np.int64), sets, shares.astype(np.float32)
    rest = np.linspace(0.01, 0.1, classes - 1)
    labels = rng.choice(classes, rows, p=[1 - rest.sum(), *rest])
    logits = rng.normal(size=(rows, classes)).round(1) + 1.5 * np.eye(classes)[labels]  # rounded: ties
    shares = np.exp(logits)
    shares = (shares / shares.sum(1, keepdims=True)).astype(np.float32)
    return shares.argmax(1), labels, shares


def collect(kind: str, names: Sequence[MetricName]) -> MetricCollection:
    return MetricCollection({name: build_metric(name, SPACES[kind]) for name in names}, compute_groups=False)


def count(metrics: MetricCollection, arrays: Arrays, size: int) -> None:
    predictions, labels, shares = arrays
    for first in range(0, len(labels), size):
        part = slice(first, first + size)
        metrics.update(
            preds=torch.tensor(predictions[part]),
            target=torch.tensor(labels[part]),
            probabilities=None if shares is None else torch.tensor(shares[part]),
        )


def as_reference(kind: str, arrays: Arrays) -> dict[str, float]:
    predictions, labels, shares = arrays
    if kind == "score":
        predictions, labels = predictions.astype(np.float64), labels.astype(np.float64)
    shares = None if shares is None else shares.astype(np.float64)
    return {name: float(reference(labels, predictions, shares)) for name, reference in REFERENCES[kind].items()}


@pytest.mark.parametrize("rows", [600, pytest.param(160_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", SPACES)
def test_metrics_equal_the_references(kind: str, rows: int) -> None:
    arrays = draw(kind, rows)
    metrics = collect(kind, list(REFERENCES[kind]))
    count(metrics, arrays, rows // 40)
    found = {name: float(value) for name, value in metrics.compute().items()}
    assert len(found) == {"class": 14, "binary": 15, "score": 3, "sets": 13}[kind]
    assert found == pytest.approx(as_reference(kind, arrays), rel=1e-6)


def compute_on_rank(rank: int, store: str, rows: int, found: Any) -> None:
    """Compute all metrics in one of two processes; of the classes and scores the second one has no rows."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    values = {}
    for kind in SPACES:
        predictions, labels, shares = draw(kind, rows)
        own = slice(rank, None, 2) if kind == "binary" else slice(0, None if rank == 0 else 0)
        metrics = collect(kind, list(REFERENCES[kind]))
        count(metrics, (predictions[own], labels[own], None if shares is None else shares[own]), 10_000)
        values[kind] = {name: float(value) for name, value in metrics.compute().items()}
    found.put(values)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_metrics_of_two_processes_equal_the_references(tmp_path: Path) -> None:
    rows = 150_000
    context = multiprocessing.get_context("fork")
    found = context.Queue()
    processes = [
        context.Process(target=compute_on_rank, args=(rank, str(tmp_path / "store"), rows, found)) for rank in (0, 1)
    ]
    for process in processes:
        process.start()
    results = [found.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    for kind in SPACES:
        expected = as_reference(kind, draw(kind, rows))
        for values in results:
            assert values[kind] == pytest.approx(expected, rel=1e-6), kind


def compute(name: MetricName, labels: LabelSpace, **values: Any) -> float:
    metric = build_metric(name, labels)
    metric.update(**{key: torch.tensor(value) for key, value in values.items()})
    return float(metric.compute())


def test_the_area_counts_a_tie_half() -> None:
    """Pairs of yes and no: .9 > .3, .9 > .5, .5 > .3, and .5 = .5."""
    shares = [[0.1, 0.9], [0.5, 0.5], [0.7, 0.3], [0.5, 0.5]]
    assert compute("auroc", YesNo(), probabilities=shares, target=[1, 1, 0, 0]) == pytest.approx(3.5 / 4)


def test_average_precision_by_hand() -> None:
    """Thresholds .9 (1 of 1), .5 (2 of 3): half of the recall each."""
    shares = [[0.1, 0.9], [0.5, 0.5], [0.7, 0.3], [0.5, 0.5]]
    found = compute("average_precision", YesNo(), probabilities=shares, target=[1, 1, 0, 0])
    assert found == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_a_class_without_rows_is_left_out_of_the_mean_and_without_any_nothing_is_defined() -> None:
    shares = [[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.5, 0.4, 0.1]]
    assert compute("auroc", Classes(3), probabilities=shares, target=[0, 1, 0]) == 1.0
    assert math.isnan(compute("auroc", Classes(3), probabilities=shares, target=[1, 1, 1]))
    assert math.isnan(compute("average_precision", Classes(3), probabilities=shares, target=[1, 1, 1]))


def test_a_near_miss_costs_quadratic_kappa_less_than_a_far_one() -> None:
    labels = [0, 1, 2, 3, 4]
    near = compute("quadratic_kappa", Classes(5), preds=[0, 1, 2, 3, 3], target=labels)
    far = compute("quadratic_kappa", Classes(5), preds=[0, 1, 2, 3, 0], target=labels)
    assert far < near < 1
    assert compute("kappa", Classes(5), preds=[0, 1, 2, 3, 3], target=labels) == pytest.approx(
        compute("kappa", Classes(5), preds=[0, 1, 2, 3, 0], target=labels)
    )


def test_kappa_of_one_class_and_r2_of_equal_labels_are_undefined() -> None:
    assert math.isnan(compute("kappa", Classes(3), preds=[1, 1], target=[1, 1]))
    assert math.isnan(compute("r2", Scores(0, 5), preds=[1.0, 2.0], target=[0.1, 0.1]))
    assert math.isnan(compute("r2", Scores(0, 5), preds=[1.0], target=[2.0]))


def test_r2_of_labels_that_hardly_vary_keeps_its_digits() -> None:
    """Labels from 0 to 1e-3, whose variance torchmetrics takes for none."""
    rng = np.random.default_rng(0)
    labels = rng.random(500).astype(np.float32) * 1e-3
    predictions = labels + rng.normal(size=500).astype(np.float32) * 2e-4
    expected = sklearn.r2_score(labels.astype(np.float64), predictions.astype(np.float64))
    assert compute("r2", Scores(0, 1), preds=predictions, target=labels) == pytest.approx(expected, rel=1e-9)
    assert 0.3 < expected < 0.9


@pytest.mark.parametrize("values", [[2.5] * 4, [1.0, 2.0, 3.0, 4.0]])
def test_kendall_with_equal_values_is_undefined(values: list[float]) -> None:
    found = compute("kendall", Scores(0, 5), preds=values, target=[0.0, 1.0, 2.0, 3.0])
    assert math.isnan(found) if values[0] == 2.5 else found == 1


def test_probabilities_of_one_are_in_the_last_bin() -> None:
    shares = [[0.0, 1.0], [0.0, 1.0], [1.0, 0.0], [0.95, 0.05]]
    found = compute(
        "expected_calibration_error", YesNo(), probabilities=shares, preds=[1, 1, 0, 0], target=[1, 1, 0, 1]
    )
    assert found == pytest.approx(abs(3 - 3.95) / 4)
