"""Gradient surgery inside the training loop."""

import lightning.pytorch as L
from torch import nn

from backbones import Backbone
from datamodules.streams import Streams
from lightning_internals import window_ends
from objectives import StepId, Surgery, TaskGradients
from tasks import InputError
from tasks.labels import list_names


class GradientSurgeon:
    """Joins the tasks' gradients of the backbone at the last backward pass of each accumulation window.

    That is before gradients are unscaled, checked and clipped, all of which then see the joined one. Heads keep their
    own gradients, as does what an adapter has for each task. With several processes a task's gradient is averaged over
    them before it is compared: the last batch's by DDP, the others', which DDP leaves alone, here.

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
        self._task = ""
        self._step_id = StepId()
        self._is_frozen = False

    def start(self, trainer: L.Trainer, streams: Streams) -> None:
        """Look up the shared weights, and check that there are gradients of several tasks to join.

        Args:
            trainer: The trainer.
            streams: Which tasks share their rows.

        Raises:
            InputError: If nothing that trains is shared, each optimiser step has one batch, or tasks share their rows.
        """
        name = type(self.surgery).__name__
        if self._backbone.frozen:
            raise InputError(f"{name} joins gradients of the backbone, but freeze_backbone is true")
        joint = next((tasks for tasks in streams.values() if len(tasks) > 1), None)
        if joint is not None:
            raise InputError(
                f"{name} joins the gradients of batches of one task each, but {list_names(joint)} share their rows "
                "(expected --data.share_rows false)"
            )
        if trainer.accumulate_grad_batches == 1:
            raise InputError(
                f"{name} compares the tasks of an optimiser step, but each has one batch (expected --data.schedule "
                "Joint or --trainer.accumulate_grad_batches of more than 1)"
            )
        shared = list(self._backbone.shared_parameters().values())
        shared += self._trunk.parameters() if self._trunk is not None else ()
        if not shared:
            raise InputError(f"{name} joins gradients of weights that the tasks share, but none of those trains")
        self._gradients = TaskGradients(shared)

    def begin(self, trainer: L.Trainer, task: str, step_id: StepId, *, is_frozen: bool) -> None:
        """Take note of the task whose backward pass comes next.

        Args:
            trainer: The trainer.
            task: Name of the task.
            step_id: When it comes.
            is_frozen: Whether its gradients do not reach the shared weights.
        """
        self._task, self._step_id, self._is_frozen = task, step_id, is_frozen
        if is_frozen and trainer.world_size > 1 and window_ends(trainer):
            self._gradients.stand_in()

    def after_backward(self, trainer: L.Trainer) -> None:
        """Take the task's gradients; at the end of the window join them."""
        if not window_ends(trainer):
            self._gradients.take(self._task)
            return
        self._gradients.average()
        if self._is_frozen:
            self._gradients.drop()
        else:
            self._gradients.take(self._task)
        self._gradients.join(self.surgery, self._step_id)
