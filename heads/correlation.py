"""Pearson's correlation as something to learn."""

import torch
from torch import Tensor

from heads.precision import widen

LEAST_VARIANCE = 1e-8  # squared label units: below it, differences are rounding


def pearson(scores: Tensor, labels: Tensor) -> Tensor:
    """Return Pearson's correlation over a batch, in fp32 at least.

    It is 0, without a gradient, where it is undefined: for a single example, and where scores or labels are constant
    (a standard deviation below 1e-4). Two examples have -1 or 1 and no gradient either.

    Args:
        scores: Predicted scores, (B,).
        labels: Scores to correlate with, (B,).
    """
    own = widen(scores) - widen(scores).mean()
    wanted = widen(labels) - widen(labels).mean()
    own_variance, wanted_variance = own.square().mean(), wanted.square().mean()
    defined = (own_variance > LEAST_VARIANCE) & (wanted_variance > LEAST_VARIANCE)
    scale = torch.where(defined, own_variance * wanted_variance, 1.0).sqrt()  # inside: sqrt has no gradient at 0
    return torch.where(defined, (own * wanted).mean() / scale, 0.0)
