"""Weights from how fast each task's loss falls."""

from collections.abc import Mapping

import torch
from torch import Tensor

from heads import LabelSpace
from objectives.step_id import StepId
from objectives.weighting import Weighting, weighted_sum


class DynamicWeightAverage(Weighting):
    """K · softmax(r / temperature) over the K tasks, r = the last epoch's mean loss over that of the epoch before.

    A task whose loss falls more slowly gains weight. All weights are 1 in the first two epochs, and a task without
    losses in one of the two epochs has r = 1. Means are over the batches of an epoch; losses that are no finite numbers
    are left out.

    Args:
        tasks: Labels of each task.
        temperature: Large values make the weights alike.

    Raises:
        ValueError: If temperature is not positive.

    Source: Liu, Johns & Davison 2019, equation 7, https://arxiv.org/abs/1803.10704
    """

    follows_losses = True
    plain_epochs = 2
    history: Tensor
    epoch: Tensor

    def __init__(self, tasks: Mapping[str, LabelSpace], *, temperature: float = 2.0) -> None:
        super().__init__(tasks)
        if temperature <= 0:
            raise ValueError(f"DynamicWeightAverage: temperature is {temperature} (expected more than 0)")
        self.temperature = temperature
        # Sum and number of this epoch's losses, mean of the last epoch's and of the one before (0: none), by task.
        self.register_buffer("history", torch.zeros(4, len(tasks)))
        self.register_buffer("epoch", torch.tensor(-1))
        self._known_epoch: int | None = None  # so that the GPU is asked once and not at each step

    def forward(self, losses: Mapping[str, Tensor], step_id: StepId) -> Tensor:
        """Return the weighted sum."""
        return weighted_sum(losses, self.factors(step_id))

    def factors(self, step_id: StepId) -> dict[str, Tensor]:
        """Return the weights of this epoch."""
        self._enter(step_id.epoch)
        last, before = self.history[2], self.history[3]
        ratios = torch.where((last > 0) & (before > 0), last / before, 1.0)
        weights = len(self.tasks) * (ratios / self.temperature).softmax(dim=0)
        return dict(zip(self.tasks, weights, strict=True))

    def record(self, task: str, loss: Tensor, epoch: int) -> None:
        """Count a loss."""
        self._enter(epoch)
        is_finite = torch.isfinite(loss)
        place = list(self.tasks).index(task)
        self.history[0, place] += torch.where(is_finite, loss, 0.0)
        self.history[1, place] += is_finite

    def _enter(self, epoch: int) -> None:
        """Turn the page where an epoch begins."""
        if self._known_epoch is None:
            self._known_epoch = int(self.epoch)
        if epoch == self._known_epoch:
            return
        self._known_epoch = epoch
        self.epoch.fill_(epoch)
        means = self.history[0] / self.history[1].clamp_min(1)
        self.history.copy_(torch.stack([torch.zeros_like(means), torch.zeros_like(means), means, self.history[2]]))
