"""Metrics that torchmetrics computes in float32 or int32, in float64: right for any number of rows."""

import warnings

import scipy.stats
import torch
from torch import Tensor
from torchmetrics import MeanAbsoluteError, MeanMetric, PearsonCorrCoef, SpearmanCorrCoef
from torchmetrics.classification import MulticlassMatthewsCorrCoef


class ExactPearson(PearsonCorrCoef):
    """Pearson correlation in float64: in float32 the fourth digit depends on how rows fall into batches and ranks."""

    def __init__(self) -> None:
        super().__init__()
        self.set_dtype(torch.float64)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Count a batch; predictions and labels in label units, (B,)."""
        super().update(preds.double(), target.double())


class ExactSpearman(SpearmanCorrCoef):
    """Spearman correlation, NaN where predictions or labels are all equal.

    torchmetrics adds ranks up in int32, which overflows where tens of thousands of rows have equal values.
    """

    def compute(self) -> Tensor:
        """Return the correlation over everything counted, computed by SciPy."""
        ends = (torch.cat(list(part)) if isinstance(part, list) else part for part in (self.preds, self.target))
        predictions, targets = (values.double().cpu().numpy() for values in ends)
        with warnings.catch_warnings(action="ignore", category=scipy.stats.ConstantInputWarning):
            value = scipy.stats.spearmanr(predictions, targets).statistic
        return torch.tensor(float(value), dtype=torch.float64, device=self.device)


class ExactMatthews(MulticlassMatthewsCorrCoef):
    """Matthews correlation, NaN where predictions or labels are all of one class.

    torchmetrics subtracts squares of the number of rows in float32, which leaves no digit where classes are rare.
    """

    def compute(self) -> Tensor:
        """Return the correlation over everything counted.

        Source: Gorodkin 2004, equation 8, https://doi.org/10.1016/j.compbiolchem.2004.09.006
        """
        counts = self.confmat.double()  # (C, C)
        labels, predictions, rows = counts.sum(1), counts.sum(0), counts.sum()
        covariance = counts.trace() * rows - labels @ predictions
        variances = (rows**2 - labels @ labels) * (rows**2 - predictions @ predictions)
        return covariance / variances.sqrt()


class ExactMeanAbsoluteError(MeanAbsoluteError):
    """Mean absolute error with its sum in float64."""

    def __init__(self) -> None:
        super().__init__()
        self.set_dtype(torch.float64)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Count a batch; predictions and labels in label units, (B,)."""
        super().update(preds.double(), target.double())


class ExactMean(MeanMetric):
    """Weighted mean with its sum in float64, NaN where a value is: torchmetrics leaves such values out."""

    def __init__(self) -> None:
        super().__init__()
        self.set_dtype(torch.float64)

    def update(self, value: Tensor, weight: float) -> None:  # type: ignore[override]
        """Count one value with its weight, a number of rows."""
        self.mean_value += value.double() * weight
        self.weight += weight
