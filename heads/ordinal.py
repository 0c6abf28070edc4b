"""A softmax loss for classes that stand in an order, such as stars."""

import torch
from torch import Tensor

from heads.precision import widen


def ordinal_log_loss(logits: Tensor, labels: Tensor, *, alpha: float, weights: Tensor | None = None) -> Tensor:
    """Return the mean over the batch of -sum_i log(1 - p_i) |i - label|^alpha, with p the softmax.

    log(1 - p_i) is a difference of two logarithms of sums, so that it stays finite where p_i rounds to 1.

    Args:
        logits: (B, C).
        labels: Class indices, (B,).
        alpha: Power of the distance.
        weights: Weight of each example, (B,); None for 1.

    Source: Castagnos et al. 2022, https://aclanthology.org/2022.coling-1.407
    """
    logits = widen(logits)
    num_classes = logits.shape[1]
    itself = torch.eye(num_classes, dtype=torch.bool, device=logits.device)
    others = logits[:, None, :].masked_fill(itself, -torch.inf)  # (B, C, C): what is left without class i
    log_rest = others.logsumexp(dim=2) - logits.logsumexp(dim=1, keepdim=True)
    distance = (torch.arange(num_classes, device=labels.device) - labels[:, None]).abs().float()  # (B, C)
    losses = -(log_rest * distance**alpha).sum(dim=1)  # (B,)
    return (losses if weights is None else losses * weights).mean()
