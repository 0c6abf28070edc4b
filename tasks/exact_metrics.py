"""Metrics that torchmetrics computes in float32 or int32, in float64: right for any number of rows."""

import warnings
from collections.abc import Callable
from typing import Any

import scipy.stats
import torch
from torch import Tensor
from torchmetrics import (
    MeanAbsoluteError,
    MeanMetric,
    MeanSquaredError,
    PearsonCorrCoef,
    R2Score,
    SpearmanCorrCoef,
)
from torchmetrics.classification import MulticlassCohenKappa, MulticlassMatthewsCorrCoef, MultilabelHammingDistance


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
        return _correlate(self.preds, self.target, scipy.stats.spearmanr)


class ExactKendall(SpearmanCorrCoef):
    """Kendall's tau-b, NaN where predictions or labels are all equal.

    torchmetrics' own compares every row with every other one, and fails where a process has no rows; SciPy sorts the
    rows, which are kept as for Spearman.
    """

    def compute(self) -> Tensor:
        """Return the correlation over everything counted, computed by SciPy."""
        return _correlate(self.preds, self.target, scipy.stats.kendalltau)


def _correlate(preds: Tensor | list[Tensor], target: Tensor | list[Tensor], correlation: Callable[..., Any]) -> Tensor:
    """Return a rank correlation of what torchmetrics keeps: a list of batches, or of several processes one tensor."""
    ends = [torch.cat(list(part)) if isinstance(part, list) else part for part in (preds, target)]
    predictions, targets = (values.double().cpu().numpy() for values in ends)
    with warnings.catch_warnings(action="ignore", category=scipy.stats.ConstantInputWarning):
        value = correlation(predictions, targets).statistic
    return torch.tensor(float(value), dtype=torch.float64, device=ends[0].device)


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


class ExactKappa(MulticlassCohenKappa):
    """Cohen's kappa, NaN where predictions and labels are all of one class; torchmetrics multiplies in float32."""

    def compute(self) -> Tensor:
        """Return the agreement over everything counted.

        Source: Cohen 1968, https://doi.org/10.1037/h0026256
        """
        counts = self.confmat.double()  # (C, C)
        expected = torch.outer(counts.sum(1), counts.sum(0)) / counts.sum()
        places = torch.arange(len(counts), device=counts.device)
        distance = (places[:, None] - places).abs()
        cost = (distance**2 if self.weights == "quadratic" else distance > 0).double()
        return 1 - (cost * counts).sum() / (cost * expected).sum()


class ExactHamming(MultilabelHammingDistance):
    """Share of labels that are wrong; torchmetrics subtracts the share of right ones from 1 in float32."""

    def compute(self) -> Tensor:
        """Return the share over everything counted."""
        states: list[Any] = [self.fp, self.fn, self.tp, self.tn]  # tensors, as it does not keep samples apart
        counts = torch.stack([state.double().sum() for state in states])
        return counts[:2].sum() / counts.sum()


class ExactMeanAbsoluteError(MeanAbsoluteError):
    """Mean absolute error with its sum in float64."""

    def __init__(self) -> None:
        super().__init__()
        self.set_dtype(torch.float64)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Count a batch; predictions and labels in label units, (B,)."""
        super().update(preds.double(), target.double())


class ExactRootMeanSquaredError(MeanSquaredError):
    """Root of the mean squared error with its sum in float64."""

    def __init__(self) -> None:
        super().__init__(squared=False)
        self.set_dtype(torch.float64)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Count a batch; predictions and labels in label units, (B,)."""
        super().update(preds.double(), target.double())


class ExactR2(R2Score):
    """Share of the labels' variance that is explained, NaN where the labels are all equal.

    torchmetrics adds up in float32, takes a small variance for none, and stops the evaluation at a single row.

    Args:
        middle: Of the range of the labels, label units. They are counted from there: of years, or of other labels far
            from 0, a difference of sums of squares would leave few digits.
    """

    def __init__(self, middle: float) -> None:
        super().__init__()
        self.set_dtype(torch.float64)
        self._middle = middle

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Count a batch; predictions and labels in label units, (B,)."""
        super().update(preds.double() - self._middle, target.double() - self._middle)

    def compute(self) -> Tensor:
        """Return 1 - squared error / variance over everything counted."""
        variance = self.sum_squared_error - self.sum_error**2 / self.total  # of the labels, times their number
        is_constant = variance <= 1e-12 * self.sum_squared_error  # all that is left is rounding
        return torch.where(is_constant, torch.nan, 1 - self.residual / variance)


class ExactMean(MeanMetric):
    """Weighted mean with its sum in float64, NaN where a value is: torchmetrics leaves such values out."""

    def __init__(self) -> None:
        super().__init__()
        self.set_dtype(torch.float64)

    def update(self, value: Tensor, weight: float) -> None:  # type: ignore[override]
        """Count one value with its weight, a number of rows."""
        self.mean_value += value.double() * weight
        self.weight += weight
