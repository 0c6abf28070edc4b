"""Metrics by the names that YAML and logs use."""

import warnings
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torchmetrics import MeanAbsoluteError, Metric, PearsonCorrCoef, SpearmanCorrCoef
from torchmetrics.classification import (
    BinaryF1Score,
    MulticlassAccuracy,
    MulticlassF1Score,
    MulticlassMatthewsCorrCoef,
)

from heads import Classes, LabelSpace, Scores, YesNo

MetricName = Literal["accuracy", "macro_f1", "f1", "matthews", "pearson", "spearman", "mean_absolute_error"]

DEFAULT_METRICS: dict[type[LabelSpace], tuple[MetricName, ...]] = {
    Classes: ("accuracy", "macro_f1"),
    YesNo: ("accuracy", "f1"),
    Scores: ("pearson", "spearman"),
}


class PreciseCorrelation(PearsonCorrCoef):
    """Pearson correlation in float64: in float32 the fourth digit depends on how rows fall into batches and ranks."""

    def __init__(self) -> None:
        super().__init__()
        self.set_dtype(torch.float64)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Count a batch; predictions and labels in label units, (B,)."""
        super().update(preds.double(), target.double())


class DefinedSpearman(SpearmanCorrCoef):
    """Spearman correlation that is NaN, as Pearson's, where predictions or labels are all equal."""

    def compute(self) -> Tensor:
        """Return the correlation over everything counted."""
        value: Tensor = super().compute()
        ranges = [torch.cat(list(part)) if isinstance(part, list) else part for part in (self.preds, self.target)]
        return torch.where(torch.stack([values.min() == values.max() for values in ranges]).any(), torch.nan, value)


class DefinedMatthews(MulticlassMatthewsCorrCoef):
    """Matthews correlation that is NaN, as other correlations, where predictions or labels are all of one class."""

    def compute(self) -> Tensor:
        """Return the correlation over everything counted."""
        value: Tensor = super().compute()
        used = [(self.confmat.sum(dim) > 0).sum() for dim in (0, 1)]
        return torch.where(torch.stack(used).min() < 2, torch.nan, value)


_BUILDERS: dict[MetricName, Callable[[int], Metric]] = {
    "accuracy": lambda classes: MulticlassAccuracy(classes, average="micro", validate_args=False),
    "macro_f1": lambda classes: MulticlassF1Score(classes, average="macro", validate_args=False),
    "f1": lambda _: BinaryF1Score(validate_args=False),
    "matthews": lambda classes: DefinedMatthews(classes, validate_args=False),
    "pearson": lambda _: PreciseCorrelation(),
    "spearman": lambda _: DefinedSpearman(),
    "mean_absolute_error": lambda _: MeanAbsoluteError(),
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
