"""The metrics themselves, as torchmetrics objects."""

from collections.abc import Callable

import torch
from torch import Tensor
from torchmetrics import MeanAbsoluteError, Metric, PearsonCorrCoef, SpearmanCorrCoef
from torchmetrics.classification import (
    BinaryF1Score,
    MulticlassAccuracy,
    MulticlassF1Score,
    MulticlassMatthewsCorrCoef,
)


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


BUILDERS: dict[str, Callable[[int], Metric]] = {
    "accuracy": lambda classes: MulticlassAccuracy(classes, average="micro", validate_args=False),
    "macro_f1": lambda classes: MulticlassF1Score(classes, average="macro", validate_args=False),
    "f1": lambda _: BinaryF1Score(validate_args=False),
    "matthews": lambda classes: DefinedMatthews(classes, validate_args=False),
    "pearson": lambda _: PreciseCorrelation(),
    "spearman": lambda _: DefinedSpearman(),
    "mean_absolute_error": lambda _: MeanAbsoluteError(),
}
