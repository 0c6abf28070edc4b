"""The metrics themselves, as torchmetrics objects."""

from collections.abc import Callable
from typing import Literal

from torchmetrics import Metric
from torchmetrics.classification import (
    BinaryF1Score,
    BinaryPrecision,
    BinaryRecall,
    MulticlassAccuracy,
    MulticlassF1Score,
    MulticlassPrecision,
    MulticlassRecall,
)

from heads import LabelSpace
from tasks.exact_metrics import (
    ExactKappa,
    ExactKendall,
    ExactMatthews,
    ExactMeanAbsoluteError,
    ExactPearson,
    ExactR2,
    ExactRootMeanSquaredError,
    ExactSpearman,
)
from tasks.probability_metrics import AveragePrecision, ExpectedCalibrationError, RocArea

Average = Literal["macro", "micro", "weighted"]


def _f1(average: Average) -> Callable[[LabelSpace], Metric]:
    return lambda labels: MulticlassF1Score(labels.num_classes, average=average, validate_args=False)


def _precision(average: Average) -> Callable[[LabelSpace], Metric]:
    return lambda labels: MulticlassPrecision(labels.num_classes, average=average, validate_args=False)


def _recall(average: Average) -> Callable[[LabelSpace], Metric]:
    return lambda labels: MulticlassRecall(labels.num_classes, average=average, validate_args=False)


BUILDERS: dict[str, Callable[[LabelSpace], Metric]] = {
    "accuracy": lambda labels: MulticlassAccuracy(labels.num_classes, average="micro", validate_args=False),
    "f1": lambda _: BinaryF1Score(validate_args=False),
    "precision": lambda _: BinaryPrecision(validate_args=False),
    "recall": lambda _: BinaryRecall(validate_args=False),
    "macro_f1": _f1("macro"),
    "micro_f1": _f1("micro"),
    "weighted_f1": _f1("weighted"),
    "macro_precision": _precision("macro"),
    "micro_precision": _precision("micro"),
    "weighted_precision": _precision("weighted"),
    "macro_recall": _recall("macro"),
    "micro_recall": _recall("micro"),
    "weighted_recall": _recall("weighted"),
    "matthews": lambda labels: ExactMatthews(labels.num_classes, validate_args=False),
    "kappa": lambda labels: ExactKappa(labels.num_classes, validate_args=False),
    "quadratic_kappa": lambda labels: ExactKappa(labels.num_classes, weights="quadratic", validate_args=False),
    "auroc": RocArea,
    "average_precision": AveragePrecision,
    "expected_calibration_error": lambda _: ExpectedCalibrationError(),
    "pearson": lambda _: ExactPearson(),
    "spearman": lambda _: ExactSpearman(),
    "kendall": lambda _: ExactKendall(),
    "mean_absolute_error": lambda _: ExactMeanAbsoluteError(),
    "rmse": lambda _: ExactRootMeanSquaredError(),
    "r2": lambda _: ExactR2(),
}
