"""Gradient surgery inside the training loop."""

from collections.abc import Collection, Mapping

import lightning.pytorch as L
import torch
from torch import Tensor, nn

from backbones import Backbone
from lightning_internals import window_ends
from objectives import StepId, Surgery, TaskGradients
from tasks import InputError


class GradientSurgeon:
    """Joins the tasks' gradients of the backbone at the last backward pass of each accumulation window.

    That is before gradients are unscaled, checked and clipped, all of which then see the joined one. Heads keep their
    own gradients, as does what an adapter has for each task. In a batch of several tasks all but the last one have a
    backward pass of their own; the last one gets what they leave of the backward pass of the sum. With several
    processes a task's gradient is averaged over them before it is compared: what the window's last backward pass gives
    by DDP, the others', which DDP leaves alone, here.

    Args:
        surgery: The method.
        backbone: The shared weights.
        trunk: More of them, which all tasks train; None for none.
    """

    def __init__(self, surgery: Surgery, backbone: Backbone, trunk: nn.Module | None = None) -> None:
        self.surgery = surgery
        self._backbone = backbone
        self._trunk = trunk
        self._gradients = TaskGradients([])
        self._losses: dict[str, Tensor] = {}
        self._step_id = StepId()

    def start(self) -> None:
        """Look up the shared weights.

        Raises:
            InputError: If none of them trains.
        """
        shared = list(self._backbone.shared_parameters().values())
        shared += self._trunk.parameters() if self._trunk is not None else ()
        if not shared:
            name = type(self.surgery).__name__
            raise InputError(f"{name} joins gradients of weights that the tasks share, but none of those trains")
        self._gradients = TaskGradients(shared)

    def begin(
        self, trainer: L.Trainer, losses: Mapping[str, Tensor], step_id: StepId, *, frozen: Collection[str]
    ) -> None:
        """Take note of the tasks whose backward pass comes next.

        Args:
            trainer: The trainer.
            losses: Each task's part of the loss of the batch.
            step_id: When it comes.
            frozen: The tasks whose gradients do not reach the shared weights.
        """
        self._losses = {task: loss for task, loss in losses.items() if task not in frozen}
        self._step_id = step_id
        if not self._losses and trainer.world_size > 1 and window_ends(trainer):
            self._gradients.stand_in()

    def before_backward(self, loss: Tensor) -> None:
        """Take the gradients of all tasks of the batch but the last one.

        Args:
            loss: What is minimised: the sum of the tasks' parts, as a gradient scaler has it.
        """
        others = list(self._losses.items())[:-1]
        if others:
            factors = torch.autograd.grad(loss, [part for _, part in others], retain_graph=True)
            for (task, part), factor in zip(others, factors, strict=True):
                self._gradients.take_part(task, part, factor)

    def after_backward(self, trainer: L.Trainer) -> None:
        """Take the gradients of the batch's last task; at the end of the window join all."""
        last = next(reversed(self._losses), None)
        self._losses = {}
        if not window_ends(trainer):
            self._take(last)
            return
        self._gradients.average()
        self._take(last)
        self._gradients.join(self.surgery, self._step_id)

    def _take(self, task: str | None) -> None:
        if task is None:
            self._gradients.drop()
        else:
            self._gradients.take(task)
