"""Metrics by the names that YAML and logs use."""

from __future__ import annotations  # torchmetrics is imported when a metric is built: it takes two seconds

import warnings
from typing import TYPE_CHECKING, Literal

from heads import Classes, LabelSpace, Scores, YesNo

if TYPE_CHECKING:
    from torchmetrics import Metric

MetricName = Literal["accuracy", "macro_f1", "f1", "matthews", "pearson", "spearman", "mean_absolute_error"]

DEFAULT_METRICS: dict[type[LabelSpace], tuple[MetricName, ...]] = {
    Classes: ("accuracy", "macro_f1"),
    YesNo: ("accuracy", "f1"),
    Scores: ("pearson", "spearman"),
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


def check_metric(name: MetricName, labels: LabelSpace) -> None:
    """Check that a metric makes sense for some labels.

    Args:
        name: The metric. `f1` is that of class 1, `macro_f1` the plain mean over the classes.
        labels: The task's labels.

    Raises:
        ValueError: If not.
    """
    if not isinstance(labels, _LABEL_KINDS.get(name, ())):
        fitting = ", ".join(other for other, kinds in _LABEL_KINDS.items() if isinstance(labels, kinds))
        raise ValueError(f"metric {name!r} does not fit {labels.plural} (expected one of {fitting})")


def build_metric(name: MetricName, labels: LabelSpace) -> Metric:
    """Return the torchmetrics object of a name, over predictions and labels in label units.

    The arguments and errors are those of `check_metric`.
    """
    from tasks.metric_objects import BUILDERS

    check_metric(name, labels)
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # that Spearman keeps every prediction
        return BUILDERS[name](labels.num_classes)
