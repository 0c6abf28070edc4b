"""Means over the batch in which labels count differently."""

from collections.abc import Callable
from typing import Literal

from torch import Tensor

Reduction = Literal["mean", "none"]


def weigh(criterion: Callable[[Reduction], Tensor], weights: Tensor | None) -> Tensor:
    """Return the mean of a criterion's values, each times its weight.

    It is divided by the number of values, not by the sum of the weights: the means of a batch's parts then add up to
    that of the batch, whatever the parts hold.

    Args:
        criterion: Returns the mean, or the single values, as its reduction says.
        weights: A weight for each value; None for 1.

    Example:
        >>> import torch
        >>> from functools import partial
        >>> squares = partial(torch.nn.functional.mse_loss, Tensor([1.0, 3.0]), Tensor([0.0, 0.0]))
        >>> weigh(lambda reduction: squares(reduction=reduction), Tensor([2.0, 1.0]))  # (2·1 + 1·9) / 2
        tensor(5.5000)
    """
    return criterion("mean") if weights is None else (criterion("none") * weights).mean()
