"""Gradient accumulation that equals one batch with all rows of its window."""

import lightning.pytorch as L
import torch
from torch import Tensor


class WindowMean:
    """Makes a window's gradient the mean over all that its batches hold, however unevenly.

    Lightning gives the sum of the batches' losses over `accumulate_grad_batches`: each batch counts the same, a last
    one with a single row too, and the last window of an epoch, which may hold fewer batches, counts less. Here each
    batch enters with the factor that `share` gives, and `settle` divides the gradients once all of them are known.
    Without accumulation nothing is changed.
    """

    def __init__(self) -> None:
        self._first: Tensor | float = 1.0
        self._total: Tensor | float = 0.0

    def share(self, trainer: L.Trainer | None, batch_idx: int, amount: Tensor | float) -> Tensor | float:
        """Return the factor of a batch's mean loss.

        Args:
            trainer: The trainer; None outside a training.
            batch_idx: Number of the batch in its epoch.
            amount: How much the batch holds, over all processes, in any unit.
        """
        if trainer is None or trainer.accumulate_grad_batches == 1:
            return 1.0
        if batch_idx % trainer.accumulate_grad_batches == 0:
            self._first, self._total = amount, 0.0
        self._total = self._total + amount
        return amount / self._first

    def settle(self, module: L.LightningModule) -> None:
        """Divide the window's gradients, before they are clipped."""
        if module.trainer.accumulate_grad_batches == 1:
            return
        factor = module.trainer.accumulate_grad_batches * self._first / self._total
        if isinstance(factor, float) and factor == 1.0:
            return
        gradients = [weight.grad for weight in module.parameters() if weight.grad is not None]
        torch._foreach_mul_(gradients, factor)
