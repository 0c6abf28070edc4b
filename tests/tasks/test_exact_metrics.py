"""Every metric against scikit-learn and SciPy over many rows, ties, rare classes, and a process without rows."""

import math
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
import torch
from numpy.typing import NDArray
from sklearn import metrics as sklearn
from torchmetrics import Metric

from heads import Classes, Scores, YesNo
from tasks.exact_metrics import ExactMean
from tasks.metrics import MetricName, build_metric

ROWS = 160_000
SPACES = {"class": Classes(5), "binary": YesNo(), "score": Scores(0, 5)}
REFERENCES: dict[MetricName, Callable[[Any, Any], float]] = {
    "accuracy": sklearn.accuracy_score,
    "macro_f1": lambda labels, predictions: sklearn.f1_score(labels, predictions, average="macro"),
    "f1": sklearn.f1_score,
    "matthews": sklearn.matthews_corrcoef,
    "pearson": lambda labels, predictions: scipy.stats.pearsonr(labels, predictions).statistic,
    "spearman": lambda labels, predictions: scipy.stats.spearmanr(labels, predictions).statistic,
    "mean_absolute_error": sklearn.mean_absolute_error,
}


def draw(kind: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return predictions and labels of many rows: a class as rare as one row in ten thousand, or scores with ties."""
    rng = np.random.default_rng(0)
    if kind == "score":
        scores = rng.integers(0, 6, ROWS).astype(np.float32)
        return (scores + rng.normal(size=ROWS)).clip(0, 5).astype(np.float32), scores
    rest = np.full(SPACES[kind].num_classes - 1, 1e-4)
    labels = rng.choice(len(rest) + 1, ROWS, p=[1 - rest.sum(), *rest])
    return np.where(rng.random(ROWS) < 1e-4, rng.integers(0, len(rest) + 1, ROWS), labels), labels


def count(metric: Metric, predictions: NDArray[Any], labels: NDArray[Any], size: int = 100) -> None:
    for first in range(0, len(labels), size):
        metric.update(*(torch.tensor(values[first : first + size]) for values in (predictions, labels)))


@pytest.mark.parametrize("kind", SPACES)
def test_metrics_over_many_rows_equal_the_references(kind: str) -> None:
    predictions, labels = draw(kind)
    compared = []
    for name, reference in REFERENCES.items():
        try:
            metric = build_metric(name, SPACES[kind])
        except ValueError:  # of another kind of labels
            continue
        count(metric, predictions, labels)
        expected = float(reference(labels.astype(np.float64), predictions.astype(np.float64)))
        assert float(metric.compute()) == pytest.approx(expected, rel=1e-6), name
        compared.append(name)
    assert len(compared) == {"class": 3, "binary": 4, "score": 3}[kind]


def test_spearman_of_labels_at_both_ends_equals_scipy() -> None:
    labels = np.tile(np.float32([0, 5]), 40_000)
    predictions = labels + np.random.default_rng(0).normal(size=len(labels)).astype(np.float32)
    metric = build_metric("spearman", SPACES["score"])
    count(metric, predictions, labels)

    assert float(metric.compute()) == pytest.approx(scipy.stats.spearmanr(labels, predictions).statistic, abs=1e-12)
    assert float(metric.compute()) > 0.8


def test_matthews_of_a_rare_class_keeps_its_digits() -> None:
    labels = np.zeros(1_000_000, dtype=np.int64)
    labels[:30], predictions = 1, labels.copy()
    predictions[10:50] = 1
    predictions[:10] = 0
    metric = build_metric("matthews", SPACES["binary"])
    count(metric, predictions, labels, size=100_000)

    assert float(metric.compute()) == pytest.approx(sklearn.matthews_corrcoef(labels, predictions), rel=1e-9)


def test_a_mean_loss_over_many_batches_is_that_of_float64() -> None:
    losses = np.random.default_rng(0).gamma(1, 1, 20_000).astype(np.float32) + 100
    weights = np.tile([7, 3], 10_000)
    metric = ExactMean()
    for loss, weight in zip(losses, weights, strict=True):
        metric.update(torch.tensor(loss), weight=int(weight))

    assert float(metric.compute()) == pytest.approx(np.average(losses.astype(np.float64), weights=weights), rel=1e-12)


def test_a_loss_that_is_no_number_is_not_left_out_of_the_mean() -> None:
    metric = ExactMean()
    metric.update(torch.tensor(1.0), weight=2)
    metric.update(torch.tensor(torch.nan), weight=2)

    assert math.isnan(float(metric.compute()))


@pytest.mark.parametrize("name", ["pearson", "spearman", "mean_absolute_error"])
def test_predictions_that_are_no_numbers_give_none(name: MetricName) -> None:
    metric = build_metric(name, SPACES["score"])
    count(metric, np.float32([1, math.nan, 3]), np.float32([1, 2, 3]))

    assert math.isnan(float(metric.compute()))


def compute_on_rank(rank: int, store: str, found: Any) -> None:
    """Compute all metrics in one of two processes, of which the first has all the rows."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    values = {}
    for kind, name in [("class", "accuracy"), ("class", "macro_f1"), ("class", "matthews"), ("binary", "f1")]:
        values[kind, name] = build_metric(name, SPACES[kind])
    for name in ("pearson", "spearman", "mean_absolute_error"):
        values["score", name] = build_metric(name, SPACES["score"])
    for (kind, _), metric in values.items():
        if rank == 0:
            count(metric, *draw(kind), size=10_000)
    mean = ExactMean()
    if rank == 0:
        mean.update(torch.tensor(2.5), weight=4)
    found.put(
        {**{name: float(metric.compute()) for (_, name), metric in values.items()}, "loss": float(mean.compute())}
    )


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_a_process_without_rows_changes_no_metric(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    found = context.Queue()
    processes = [
        context.Process(target=compute_on_rank, args=(rank, str(tmp_path / "store"), found)) for rank in (0, 1)
    ]
    for process in processes:
        process.start()
    results = [found.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()

    expected = {"loss": 2.5}
    for name, reference in REFERENCES.items():
        kind = {"f1": "binary", "accuracy": "class", "macro_f1": "class", "matthews": "class"}.get(name, "score")
        predictions, labels = draw(kind)
        expected[name] = float(reference(labels.astype(np.float64), predictions.astype(np.float64)))
    assert len(expected) == 8
    for values in results:
        assert values == pytest.approx(expected, rel=1e-6)
