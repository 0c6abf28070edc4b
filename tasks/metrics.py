"""Metrics by the names that YAML and logs use."""

from __future__ import annotations  # torchmetrics is imported when a metric is built: it takes two seconds

import warnings
from typing import TYPE_CHECKING, Literal

from heads import Classes, LabelSets, LabelSpace, Scores, YesNo

if TYPE_CHECKING:
    from torchmetrics import Metric

MetricName = Literal[
    "accuracy",
    "macro_f1",
    "f1",
    "matthews",
    "pearson",
    "spearman",
    "mean_absolute_error",
    "precision",
    "recall",
    "macro_precision",
    "macro_recall",
    "micro_f1",
    "micro_precision",
    "micro_recall",
    "weighted_f1",
    "weighted_precision",
    "weighted_recall",
    "auroc",
    "average_precision",
    "kappa",
    "quadratic_kappa",
    "expected_calibration_error",
    "kendall",
    "r2",
    "rmse",
    "exact_match",
    "hamming_loss",
]

DEFAULT_METRICS: dict[type[LabelSpace], tuple[MetricName, ...]] = {
    Classes: ("accuracy", "macro_f1"),
    YesNo: ("accuracy", "f1"),
    Scores: ("pearson", "spearman"),
    LabelSets: ("micro_f1", "macro_f1"),
}

LOWER_IS_BETTER: frozenset[MetricName] = frozenset(
    ("mean_absolute_error", "rmse", "expected_calibration_error", "hamming_loss")
)
OF_PROBABILITIES: frozenset[MetricName] = frozenset(("auroc", "average_precision", "expected_calibration_error"))

_ANY_CLASS: tuple[type[LabelSpace], ...] = (Classes, YesNo)
_ANY_NAMED: tuple[type[LabelSpace], ...] = (Classes, YesNo, LabelSets)
_LABEL_KINDS: dict[MetricName, tuple[type[LabelSpace], ...]] = {
    "accuracy": _ANY_CLASS,
    "macro_f1": _ANY_NAMED,
    "f1": (YesNo,),
    "matthews": _ANY_CLASS,
    "pearson": (Scores,),
    "spearman": (Scores,),
    "mean_absolute_error": (Scores,),
    "precision": (YesNo,),
    "recall": (YesNo,),
    "macro_precision": _ANY_NAMED,
    "macro_recall": _ANY_NAMED,
    "micro_f1": _ANY_NAMED,
    "micro_precision": _ANY_NAMED,
    "micro_recall": _ANY_NAMED,
    "weighted_f1": _ANY_NAMED,
    "weighted_precision": _ANY_NAMED,
    "weighted_recall": _ANY_NAMED,
    "auroc": _ANY_NAMED,
    "average_precision": _ANY_NAMED,
    "kappa": _ANY_CLASS,
    "quadratic_kappa": (Classes,),
    "expected_calibration_error": _ANY_CLASS,
    "kendall": (Scores,),
    "r2": (Scores,),
    "rmse": (Scores,),
    "exact_match": (LabelSets,),
    "hamming_loss": (LabelSets,),
}


def check_metric(name: MetricName, labels: LabelSpace) -> None:
    """Check that a metric makes sense for some labels.

    Args:
        name: The metric. `f1`, `precision` and `recall` are those of class 1; `macro_` is the plain mean over the
            classes, `weighted_` the mean by their frequency, `micro_` counts all decisions together. `auroc` and
            `average_precision` are those of class 1, or the mean over the classes against the rest that have both
            kinds of rows. `quadratic_kappa` is for classes that stand in an order.
            Of sets of labels, `exact_match` is the share of rows without a mistake, `hamming_loss` that of labels that
            are wrong.
        labels: The task's labels.

    Raises:
        ValueError: If not.
    """
    if not isinstance(labels, _LABEL_KINDS.get(name, ())):
        fitting = ", ".join(other for other, kinds in _LABEL_KINDS.items() if isinstance(labels, kinds))
        raise ValueError(f"metric {name!r} does not fit {labels.plural} (expected one of {fitting})")


def build_metric(name: MetricName, labels: LabelSpace) -> Metric:
    """Return the torchmetrics object of a name.

    Its `update` takes, by keyword, what it needs of `preds` and `target`, both in label units, and `probabilities`. The
    arguments and errors are those of `check_metric`.
    """
    from tasks.metric_objects import BUILDERS

    check_metric(name, labels)
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # that Spearman keeps every prediction
        return BUILDERS[name](labels)
