"""Metrics by the names that YAML and logs use."""

import warnings
from collections.abc import Callable
from typing import Literal

from torchmetrics import Metric
from torchmetrics.classification import BinaryF1Score, MulticlassAccuracy, MulticlassF1Score

from heads import Classes, LabelSpace, Scores, YesNo
from tasks.exact_metrics import ExactMatthews, ExactMeanAbsoluteError, ExactPearson, ExactSpearman

MetricName = Literal["accuracy", "macro_f1", "f1", "matthews", "pearson", "spearman", "mean_absolute_error"]

DEFAULT_METRICS: dict[type[LabelSpace], tuple[MetricName, ...]] = {
    Classes: ("accuracy", "macro_f1"),
    YesNo: ("accuracy", "f1"),
    Scores: ("pearson", "spearman"),
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
_LABEL_KINDS: dict[MetricName, tuple[type[LabelSpace], ...]] = {
    "accuracy": (Classes, YesNo),
    "macro_f1": (Classes, YesNo),
    "f1": (YesNo,),
    "matthews": (Classes, YesNo),
    "pearson": (Scores,),
    "spearman": (Scores,),
    "mean_absolute_error": (Scores,),
}


def build_metric(name: MetricName, labels: LabelSpace) -> Metric:
    """Return the torchmetrics object of a name, over predictions and labels in label units.

    Args:
        name: The metric. `f1` is that of class 1, `macro_f1` the plain mean over the classes.
        labels: The task's labels.

    Raises:
        ValueError: If the metric makes no sense for these labels.
    """
    if not isinstance(labels, _LABEL_KINDS.get(name, ())):
        fitting = ", ".join(other for other, kinds in _LABEL_KINDS.items() if isinstance(labels, kinds))
        raise ValueError(f"metric {name!r} does not fit {labels.plural} (expected one of {fitting})")
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # that Spearman keeps every prediction
        return _BUILDERS[name](labels.num_classes)
