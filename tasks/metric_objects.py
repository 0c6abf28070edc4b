"""The metrics themselves, as torchmetrics objects."""

from collections.abc import Callable

from torchmetrics import Metric
from torchmetrics.classification import BinaryF1Score, MulticlassAccuracy, MulticlassF1Score

from tasks.exact_metrics import ExactMatthews, ExactMeanAbsoluteError, ExactPearson, ExactSpearman

BUILDERS: dict[str, Callable[[int], Metric]] = {
    "accuracy": lambda classes: MulticlassAccuracy(classes, average="micro", validate_args=False),
    "macro_f1": lambda classes: MulticlassF1Score(classes, average="macro", validate_args=False),
    "f1": lambda _: BinaryF1Score(validate_args=False),
    "matthews": lambda classes: ExactMatthews(classes, validate_args=False),
    "pearson": lambda _: ExactPearson(),
    "spearman": lambda _: ExactSpearman(),
    "mean_absolute_error": lambda _: ExactMeanAbsoluteError(),
}
