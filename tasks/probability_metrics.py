"""Metrics of the probabilities of classes, in float64 over the whole split."""

from abc import abstractmethod

import numpy as np
import scipy.stats
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torchmetrics import Metric

from heads import LabelSpace

NUM_BINS = 10  # of the calibration; those of the report's diagram


class _Ranking(Metric):
    """A score of how well probabilities rank the rows: the mean over the yes/no questions that the labels ask.

    Every probability is kept: 4 bytes a row and class. A question whose answer is the same for all rows is left out.

    Args:
        labels: The task's labels.
    """

    higher_is_better = True
    full_state_update = False
    probabilities: list[Tensor] | Tensor
    target: list[Tensor] | Tensor

    def __init__(self, labels: LabelSpace) -> None:
        super().__init__()
        self._labels = labels
        self.add_state("probabilities", [], dist_reduce_fx="cat")
        self.add_state("target", [], dist_reduce_fx="cat")

    def update(self, probabilities: Tensor, target: Tensor) -> None:
        """Count a batch; probabilities of the classes (B, C), labels (B, ...).

        They are kept flat and of one type: a process without rows has nothing but an empty float32 tensor to send.
        """
        assert isinstance(self.probabilities, list)
        assert isinstance(self.target, list)
        self.probabilities.append(probabilities.float().flatten())
        self.target.append(target.float().flatten())

    def compute(self) -> Tensor:
        """Return the mean over the questions; NaN where there is none to be asked."""
        flat = [torch.cat(list(part)) if isinstance(part, list) else part for part in (self.probabilities, self.target)]
        probabilities, target = (values.double().cpu().numpy() for values in flat)
        rows = probabilities.reshape(-1, self._labels.num_classes)  # (n, C)
        scores, is_yes = self._labels.ask(rows, target.reshape(len(rows), -1))  # (n, Q) each
        values = [
            self.rank(scores[:, question], is_yes[:, question])
            for question in range(scores.shape[1])
            if 0 < is_yes[:, question].sum() < len(rows)
        ]
        return torch.tensor(np.mean(values) if values else np.nan, dtype=torch.float64, device=flat[0].device)

    @staticmethod
    @abstractmethod
    def rank(scores: NDArray[np.float64], is_yes: NDArray[np.bool_]) -> float:
        """Return the value of one question with both answers; scores and whether the answer is yes, (n,)."""


class RocArea(_Ranking):
    """Area under the ROC curve: how often a row that is one ranks above a row that is none, a tie counting half."""

    @staticmethod
    def rank(scores: NDArray[np.float64], is_yes: NDArray[np.bool_]) -> float:
        """Return the area from the sum of the ranks (Mann & Whitney 1947)."""
        count = int(is_yes.sum())
        ranks = scipy.stats.rankdata(scores)
        return float((ranks[is_yes].sum() - count * (count + 1) / 2) / (count * (len(scores) - count)))


class AveragePrecision(_Ranking):
    """Mean of the precision at each threshold, weighted by the recall that it gains, as scikit-learn computes it."""

    @staticmethod
    def rank(scores: NDArray[np.float64], is_yes: NDArray[np.bool_]) -> float:
        """Return the sum of the precisions times the gains; rows of equal probability have one threshold."""
        if np.isnan(scores).any():  # which have no order
            return float("nan")
        order = np.argsort(-scores, kind="stable")
        ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)  # last row of each threshold
        hits = is_yes[order].cumsum()[ends]
        return float((np.diff(hits, prepend=0) * hits / (ends + 1)).sum() / hits[-1])


class ExpectedCalibrationError(Metric):
    """Mean difference between the probability of the predicted class and how often it is right, over ten equal bins.

    Source: Guo et al. 2017, section 2, https://arxiv.org/abs/1706.04599
    """

    higher_is_better = False
    full_state_update = False
    counts: Tensor
    confidence: Tensor
    hits: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("counts", "confidence", "hits"):
            self.add_state(name, torch.zeros(NUM_BINS, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, probabilities: Tensor, preds: Tensor, target: Tensor) -> None:
        """Count a batch; probabilities of the classes (B, C), predicted and true classes (B,)."""
        confidence = probabilities.double().gather(1, preds[:, None]).squeeze(1)  # (B,)
        number = (confidence * NUM_BINS).ceil().long().sub(1).clamp(0, NUM_BINS - 1)  # a bin holds its upper end
        bins = F.one_hot(number, NUM_BINS).double()  # (B, bins)
        self.counts = self.counts + bins.sum(0)
        self.confidence = self.confidence + confidence @ bins
        self.hits = self.hits + (preds == target).double() @ bins

    def compute(self) -> Tensor:
        """Return the error; NaN without rows."""
        return (self.hits - self.confidence).abs().sum() / self.counts.sum()
