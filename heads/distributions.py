"""Arithmetic on the log probabilities of classes."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from heads.precision import widen

LEAST = 1e-7  # of a teacher's probability: prediction files hold six decimals, and the logarithm of 0 is not finite


def average_log_probabilities(log_probabilities: Tensor) -> Tensor:
    """Average M distributions; the logarithm of the mean probabilities.

    Args:
        log_probabilities: (M, B, C).

    Returns:
        (B, C).
    """
    return widen(log_probabilities).logsumexp(dim=0) - math.log(log_probabilities.shape[0])


def soften(log_probabilities: Tensor, temperature: float) -> Tensor:
    """Flatten distributions by a temperature: p^(1/T), scaled to sum to 1; for a softmax that divides its logits by T.

    Args:
        log_probabilities: (B, C).
        temperature: T; 1 changes nothing.
    """
    return (log_probabilities / temperature).log_softmax(dim=1)


def teacher_divergence(log_probabilities: Tensor, target: Tensor, temperature: float) -> Tensor:
    """Mean over the batch of T^2 KL(target || own), both softened by T, nats.

    The factor keeps the size of the gradients when T changes. For yes/no it is binary cross-entropy with the target's
    probability less the target's entropy, a constant.

    Args:
        log_probabilities: A head's, (B, C).
        target: A teacher's probabilities, (B, C); each row sums to 1 but for rounding.
        temperature: T.

    Source: Hinton et al. 2015, section 2, https://arxiv.org/abs/1503.02531
    """
    wanted = soften(widen(target).clamp_min(LEAST).log(), temperature)
    own = soften(widen(log_probabilities), temperature)
    return F.kl_div(own, wanted, reduction="batchmean", log_target=True) * temperature**2


def yes_no(logits: Tensor) -> Tensor:
    """Log probabilities of no and yes, (...) logits to (..., 2)."""
    return torch.stack([F.logsigmoid(-widen(logits)), F.logsigmoid(widen(logits))], dim=-1)  # (..., 2)
