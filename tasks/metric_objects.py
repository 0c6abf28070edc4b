"""The metrics themselves, as torchmetrics objects."""

from collections.abc import Callable
from functools import partial
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
    MultilabelExactMatch,
    MultilabelF1Score,
    MultilabelPrecision,
    MultilabelRecall,
)

from heads import LabelSpace, Scores
from tasks.exact_metrics import (
    ExactHamming,
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


def _averaged(
    of_classes: Callable[..., Metric], of_sets: Callable[..., Metric], average: Average
) -> Callable[[LabelSpace], Metric]:
    """Build a metric that is a mean over classes, or over the labels of sets."""
    return lambda labels: (of_sets if labels.is_set else of_classes)(
        labels.num_classes, average=average, validate_args=False
    )


_f1 = partial(_averaged, MulticlassF1Score, MultilabelF1Score)
_precision = partial(_averaged, MulticlassPrecision, MultilabelPrecision)
_recall = partial(_averaged, MulticlassRecall, MultilabelRecall)


def _build_r2(labels: LabelSpace) -> Metric:
    assert isinstance(labels, Scores)  # check_metric has refused others
    return ExactR2(middle=labels.low / 2 + labels.high / 2)


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
    "r2": _build_r2,
    "exact_match": lambda labels: MultilabelExactMatch(labels.num_classes, validate_args=False),
    "hamming_loss": lambda labels: ExactHamming(labels.num_classes, average="micro", validate_args=False),
}
