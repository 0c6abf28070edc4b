"""Cross-entropy with what may be added to it: weights of labels, label smoothing, and the focus on hard examples."""

from functools import partial

from torch import Tensor
from torch.nn import functional as F

from heads.precision import widen
from heads.weighting import weigh


def class_cross_entropy(
    logits: Tensor, labels: Tensor, *, label_smoothing: float, gamma: float, weights: Tensor | None
) -> Tensor:
    """Return the mean over the batch of -(1 - p)^gamma log p, with p the softmax's probability of the label.

    Args:
        logits: (B, C).
        labels: Class indices, (B,).
        label_smoothing: Share of the label that all classes get alike.
        gamma: Power of 1 - p; 0 for cross-entropy.
        weights: Weight of each example, (B,); None for 1.

    Source: Lin et al. 2017, equation 4, https://arxiv.org/abs/1708.02002
    """
    if gamma == 0:
        found = partial(F.cross_entropy, logits, labels, label_smoothing=label_smoothing)
        return weigh(lambda reduction: found(reduction=reduction), weights)
    losses = F.cross_entropy(widen(logits), labels, reduction="none")
    focused = _focus(losses, gamma)
    return (focused if weights is None else focused * weights).mean()


def binary_cross_entropy(
    logits: Tensor, labels: Tensor, *, label_smoothing: float, gamma: float, weights: Tensor | None
) -> Tensor:
    """Return the mean of -(1 - p)^gamma log p, with p the sigmoid's probability of the label.

    Args:
        logits: (B,) or (B, C).
        labels: 0 or 1, of that shape.
        label_smoothing: Share of the label that no and yes get alike.
        gamma: As above.
        weights: Weight of each label, of that shape; None for 1.
    """
    logits = widen(logits)
    target = labels.to(logits.dtype)
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / 2
    if gamma == 0:
        found = partial(F.binary_cross_entropy_with_logits, logits, target)
        return weigh(lambda reduction: found(reduction=reduction), weights)
    losses = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    focused = _focus(losses, gamma)
    return (focused if weights is None else focused * weights).mean()


def _focus(losses: Tensor, gamma: float) -> Tensor:
    """Multiply -log p by (1 - p)^gamma; 1 - p as -expm1(log p) keeps its digits where p is nearly 1."""
    rest = -(-losses).expm1()
    return rest.clamp_min(LEAST) ** gamma * losses


LEAST = 1e-12  # of 1 - p: a power below 1 has no finite gradient at 0
