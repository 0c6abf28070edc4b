"""Gradient accumulation that equals one batch with all rows of its window."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


class WindowMean:
    """Makes a window's gradient the mean over all that its batches hold, however unevenly.

    Lightning gives the sum of the batches' losses over `accumulate_grad_batches`: each batch counts the same, a last
    one with a single row too, and the last window of an epoch, which may hold fewer batches, counts less. Here each
    batch enters with the factor that `share` gives, and `settle` divides the gradients once all of them are known.
    Without accumulation nothing is changed.
    """

    def __init__(self) -> None:
        self._size = 1
        self._first: Tensor | float = 1.0
        self._total: Tensor | float = 0.0

    def share(self, size: int, batch_idx: int, amount: Tensor | float) -> Tensor | float:
        """Return the factor of a batch's mean loss.

        Args:
            size: Batches of a window (`accumulate_grad_batches`).
            batch_idx: Number of the batch in its epoch.
            amount: How much the batch holds, over all processes, in any unit; 0 for a batch without anything to learn.
        """
        self._size = size
        if size == 1:
            return 1.0
        if batch_idx % size == 0:
            self._first, self._total = _or_one(amount), 0.0
        self._total = self._total + amount
        return amount / self._first

    def settle(self, parameters: Iterable[nn.Parameter]) -> None:
        """Divide the window's gradients, before they are clipped."""
        if self._size == 1:
            return
        factor = self._size * self._first / _or_one(self._total)
        if isinstance(factor, float) and factor == 1.0:
            return
        gradients = [weight.grad for weight in parameters if weight.grad is not None]
        if gradients:  # none where LossGuard leaves the step out
            torch._foreach_mul_(gradients, factor)


def _or_one(amount: Tensor | float) -> Tensor | float:
    """Return an amount to divide by: itself, or 1 for 0."""
    return amount.where(amount > 0, 1.0) if isinstance(amount, Tensor) else amount or 1.0
