"""Metrics by the names that YAML and logs use."""

import warnings
from collections.abc import Callable
from typing import Literal

from torchmetrics import Metric
from torchmetrics.classification import BinaryF1Score, MulticlassAccuracy, MulticlassF1Score

from heads.labels import LabelKind, LabelSpace
from tasks.exact_metrics import ExactMatthews, ExactMeanAbsoluteError, ExactPearson, ExactSpearman

MetricName = Literal["accuracy", "macro_f1", "f1", "matthews", "pearson", "spearman", "mean_absolute_error"]

DEFAULT_METRICS: dict[LabelKind, tuple[MetricName, ...]] = {
    "class": ("accuracy", "macro_f1"),
    "binary": ("accuracy", "f1"),
    "score": ("pearson", "spearman"),
}


_BUILDERS: dict[MetricName, Callable[[int], Metric]] = {
    "accuracy": lambda classes: MulticlassAccuracy(classes, average="micro", validate_args=False),
    "macro_f1": lambda classes: MulticlassF1Score(classes, average="macro", validate_args=False),
    "f1": lambda _: BinaryF1Score(validate_args=False),
    "matthews": lambda classes: ExactMatthews(classes, validate_args=False),
    "pearson": lambda _: ExactPearson(),
    "spearman": lambda _: ExactSpearman(),
    "mean_absolute_error": lambda _: ExactMeanAbsoluteError(),
}
_LABEL_KINDS: dict[MetricName, frozenset[LabelKind]] = {
    "accuracy": frozenset({"class", "binary"}),
    "macro_f1": frozenset({"class", "binary"}),
    "f1": frozenset({"binary"}),
    "matthews": frozenset({"class", "binary"}),
    "pearson": frozenset({"score"}),
    "spearman": frozenset({"score"}),
    "mean_absolute_error": frozenset({"score"}),
}


def build_metric(name: MetricName, labels: LabelSpace) -> Metric:
    """Return the torchmetrics object of a name, over predictions and labels in label units.

    Args:
        name: The metric. `f1` is that of class 1, `macro_f1` the plain mean over the classes.
        labels: The task's labels.

    Raises:
        ValueError: If the metric makes no sense for these labels.
    """
    if labels.kind not in _LABEL_KINDS.get(name, ()):
        fitting = ", ".join(other for other, kinds in _LABEL_KINDS.items() if labels.kind in kinds)
        raise ValueError(f"metric {name!r} does not fit {labels.kind} labels (expected one of {fitting})")
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # that Spearman keeps every prediction
        return _BUILDERS[name](labels.num_classes)
