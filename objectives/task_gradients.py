"""The gradients of an accumulation window, kept apart by task."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from objectives.processes import reduce_over_processes
from objectives.step_id import StepId
from objectives.surgery import Surgery, compute_gram
from runtime.errors import InputError


class TaskGradients:
    """Takes the gradients of shared weights away after each backward pass, and puts the joined one back.

    Memory: one copy of the shared weights for each task beyond the first.

    Args:
        parameters: The shared weights; all others keep the gradients that PyTorch accumulates. A weight that only one
            task of a window used is not shared in it, and keeps its gradient.
    """

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self._parameters = list(parameters)
        self._taken: dict[str, list[Tensor | None]] = {}

    def take(self, task: str) -> None:
        """Add the weights' gradients to a task's, and leave the weights without; a task without any is not counted."""
        self._add_to(task, [parameter.grad for parameter in self._parameters])
        self.drop()

    def take_part(self, task: str, loss: Tensor, factor: Tensor) -> None:
        """Add the gradients of a part of a loss to a task's, and leave the weights with the negative of them.

        The backward pass of the whole loss, which comes next, then leaves them with those of the other parts: all parts
        must use the same weights.

        Args:
            task: Name of the task.
            loss: Its part of the loss.
            factor: Gradient of what is minimised with respect to that part.
        """
        found = torch.autograd.grad(loss, self._parameters, factor, retain_graph=True, allow_unused=True)
        own = [None if gradient is None else gradient.clone() for gradient in found]  # several may be one tensor
        for parameter, gradient in zip(self._parameters, own, strict=True):
            if gradient is not None:
                parameter.grad = -gradient if parameter.grad is None else parameter.grad.sub_(gradient)
        self._add_to(task, own)

    def _add_to(self, task: str, gradients: Sequence[Tensor | None]) -> None:
        if all(gradient is None for gradient in gradients):
            return
        known = self._taken.setdefault(task, [None] * len(gradients))
        self._taken[task] = [_add(one, other) for one, other in zip(known, gradients, strict=True)]

    def stand_in(self) -> None:
        """Return zeros to the weights that were taken from: DDP averages what any batch of the window used."""
        for parameter, *gradients in zip(self._parameters, *self._taken.values(), strict=True):
            if _count(tuple(gradients)):
                parameter.grad = torch.zeros_like(parameter)

    def drop(self) -> None:
        """Leave the weights without gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    def average(self) -> None:
        """Replace what was taken by the mean over all processes, which must have taken the same."""
        for task, gradients in self._taken.items():
            present = [gradient for gradient in gradients if gradient is not None]
            flat = reduce_over_processes(torch.cat([gradient.flatten() for gradient in present]), "mean")
            parts = iter(torch.split(flat, [gradient.numel() for gradient in present]))
            self._taken[task] = [None if gradient is None else next(parts).view_as(gradient) for gradient in gradients]

    def join(self, surgery: Surgery, step_id: StepId) -> Tensor | None:
        """Return the weights the joined gradient, and forget the tasks'.

        Where a gradient is no finite number, the plain sum is given, which is none either: that is for a gradient
        scaler or a guard to find.

        Returns:
            The Gram matrix, (K, K); None where fewer than two tasks share a weight.

        Raises:
            InputError: If the surgery does not return a finite number for each task.
        """
        if not self._taken:
            return None
        by_parameter = list(zip(*self._taken.values(), strict=True))
        num_tasks, self._taken = len(self._taken), {}
        shared = [gradients for gradients in by_parameter if _count(gradients) > 1]
        gram = coefficients = None
        if shared:
            filled = [_fill(gradients) for gradients in shared]
            gram = compute_gram([list(task) for task in zip(*filled, strict=True)])
            coefficients = _ask(surgery, gram, step_id) if bool(gram.isfinite().all()) else torch.ones(num_tasks)
        for parameter, gradients in zip(self._parameters, by_parameter, strict=True):
            parameter.grad = _join(gradients, coefficients)
        return gram


def _ask(surgery: Surgery, gram: Tensor, step_id: StepId) -> Tensor:
    coefficients = torch.as_tensor(surgery.coefficients(gram, step_id)).detach()
    if coefficients.shape != gram.shape[:1] or not bool(coefficients.isfinite().all()):
        raise InputError(
            f"{type(surgery).__name__}: coefficients are {coefficients.tolist()} "
            f"(expected {len(gram)} finite numbers, one for each task of the step)"
        )
    return coefficients


def _add(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    if one is None or other is None:
        return other if one is None else one
    return one.add_(other)


def _count(gradients: tuple[Tensor | None, ...]) -> int:
    return sum(gradient is not None for gradient in gradients)


def _fill(gradients: tuple[Tensor | None, ...]) -> list[Tensor]:
    """Put zeros where a task has no gradient."""
    known = next(gradient for gradient in gradients if gradient is not None)
    return [torch.zeros_like(known) if gradient is None else gradient for gradient in gradients]


def _join(gradients: tuple[Tensor | None, ...], coefficients: Tensor | None) -> Tensor | None:
    if coefficients is None or _count(gradients) <= 1:
        return next((gradient for gradient in gradients if gradient is not None), None)
    total: Tensor | None = None
    for gradient, factor in zip(gradients, coefficients.tolist(), strict=True):
        if gradient is not None:
            total = gradient.mul_(factor) if total is None else total.add_(gradient, alpha=factor)
    return total
