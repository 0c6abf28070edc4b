"""How far apart two outputs of one head are: what regularisers of smoothness and agreement minimise."""

import torch
from torch import Tensor
from torch.nn import functional as F


def class_divergence(one: Tensor, other: Tensor) -> Tensor:
    """Symmetric Kullback-Leibler divergence of two softmax distributions, mean over the batch.

    KL(p|q) + KL(q|p) = sum_c (p_c - q_c)(log p_c - log q_c), in nats; gradients flow to both sides.

    Args:
        one: Logits, (B, C).
        other: Logits, (B, C).

    Example:
        >>> class_divergence(Tensor([[0.0, 0.0]]), Tensor([[0.0, 1.0986123]]))  # (1/2, 1/2) and (1/4, 3/4)
        tensor(0.2747)
    """
    first, second = one.float().log_softmax(dim=1), other.float().log_softmax(dim=1)
    return ((first.exp() - second.exp()) * (first - second)).sum(dim=1).mean()


def probability_divergence(one: Tensor, other: Tensor) -> Tensor:
    """Symmetric Kullback-Leibler divergence as `class_divergence`, from probabilities instead of logits.

    Args:
        one: Probabilities, (B, C).
        other: Probabilities, (B, C).
    """
    first, second = (values.clamp_min(torch.finfo(values.dtype).tiny).log() for values in (one, other))
    return class_divergence(first, second)


def binary_divergence(one: Tensor, other: Tensor) -> Tensor:
    """Symmetric Kullback-Leibler divergence of two yes/no distributions, mean over the batch.

    It is the symmetric binary cross-entropy less the two entropies, so that equal outputs give 0 and nothing pushes
    both towards certainty: (p - q)(logit p - logit q).

    Args:
        one: Logits of yes, (B,).
        other: Logits of yes, (B,).

    Example:
        >>> binary_divergence(Tensor([0.0]), Tensor([1.0986123]))  # 1/2 and 3/4: as with two classes
        tensor(0.2747)
    """
    first, second = one.float(), other.float()
    return ((first.sigmoid() - second.sigmoid()) * (first - second)).mean()


def score_divergence(one: Tensor, other: Tensor) -> Tensor:
    """Mean squared difference of two scores, in squared label units.

    Args:
        one: Scores in label units, (B,).
        other: Scores in label units, (B,).
    """
    return F.mse_loss(one.float(), other.float())
