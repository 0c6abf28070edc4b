"""The scores of a report: those of the tasks, of a constant prediction and of each class, and what they warn of."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from callbacks.baseline import describe_failure, score_baseline
from datamodules import TokenStore
from runtime.evaluated import find_part
from tasks import Task
from tasks.class_scores import score_classes

Predicted = Mapping[str, Sequence[NDArray[Any]]]  # rows, predictions and, of classes, probabilities, by task


def collect_metrics(logged: Mapping[str, Any], split: str) -> dict[str, Any]:
    """Return `{task: {metric: value}, "mean": value}` of the last evaluation; None for what is no finite number.

    Args:
        logged: Logged values by `<split>/<task>/<metric>`, and `<split>/mean` and `<split>/score` where they are.
        split: `val` or `test`.
    """
    metrics: dict[str, Any] = {}
    for name, value in logged.items():
        part, *rest = name.split("/")
        if part == split and len(rest) == 2:
            metrics.setdefault(rest[0], {})[rest[1]] = _number(value)
    for name in ("mean", "score"):
        if f"{split}/{name}" in logged:
            metrics[name] = _number(logged[f"{split}/{name}"])
    return metrics


def order_metrics(metrics: Mapping[str, Any], tasks: Mapping[str, Task]) -> dict[str, Any]:
    """Return scores with those of each task in the order of its metrics, of which the first enters the mean.

    Args:
        metrics: As `collect_metrics` returns them.
        tasks: The tasks by name.
    """
    ordered = dict(metrics)
    for name, task in tasks.items():
        if isinstance(scores := metrics.get(name), Mapping):
            first = [metric for metric in task.metric_names if metric in scores]
            ordered[name] = {metric: scores[metric] for metric in dict.fromkeys([*first, *scores])}
    return ordered


def _number(value: Any) -> float | None:
    return None if value is None or not math.isfinite(float(value)) else float(value)  # JSON has no other


def find_evaluated(stores: Mapping[str, TokenStore], predicted: Predicted) -> dict[str, list[int]]:
    """Return how much of each task was evaluated, as `find_part` does."""
    sizes = {name: len(store) for name, store in stores.items() if store.is_labelled}
    return find_part({task: len(rows) for task, (rows, *_) in predicted.items()}, sizes)


def score_baselines(
    train: Mapping[str, TokenStore], evaluated: Mapping[str, TokenStore], predicted: Predicted
) -> dict[str, dict[str, float | None]]:
    """Score the constant on the rows that the scores are of, of the tasks that have some with a label."""
    return {
        task: score_baseline(train[task], evaluated[task], rows)
        for task, (rows, *_) in predicted.items()
        if task in train and evaluated[task].has_label[rows].any()
    }


def score_classes_by_task(
    evaluated: Mapping[str, TokenStore], predicted: Predicted
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return precision, recall, F1 and counts by task and class, of the rows that the scores are of."""
    found = {}
    for name, (rows, predictions, *_) in predicted.items():
        task, known = evaluated[name].task, evaluated[name].has_label[rows]
        if task.class_names and known.any():
            scores = score_classes(task.labels, predictions[known], evaluated[name].labels[rows[known]])
            found[name] = dict(zip(task.class_names, map(asdict, scores), strict=True))
    return found


def describe_failures(
    tasks: Mapping[str, Task], metrics: Mapping[str, Any], baselines: Mapping[str, Any], predicted: Predicted
) -> Iterator[str]:
    """Say which task predicts the same for every text, or no better than the constant."""
    for name, (_, predictions, *_) in predicted.items():
        if name not in metrics:  # no example with a label was evaluated
            continue
        metric = str(tasks[name].metric_names[0])
        score, baseline = metrics[name][metric], baselines.get(name)
        constant = baseline[metric] if baseline else -math.inf  # validate and test know no training split
        said = describe_failure(tasks[name], predictions.astype(np.float64), score, constant)
        if said is not None:
            yield f"task {name}: {said}"
