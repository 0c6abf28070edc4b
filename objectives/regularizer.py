"""The interface of regularisers: what they see of a training step, and the term that they add to its loss."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from objectives.replay import RandomState

# Gives a scalar from two outputs of a head, 0 where they are equal.
Divergence = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class ForwardPass:
    """The forward pass of a training batch, and the means to make it again.

    Args:
        output: What the head gave.
        forward: Makes the pass again; a perturbation (T, H) is added to the embedding output of the T tokens, those of
            both sentences of a pair.
        embedded_shape: Shape of the embedding output, (T, H).
        loss: The mean loss of an output on labels and teacher.
        divergence: How far apart two outputs are.
        random_state: The random numbers as they were right before the pass.
        forward_with_past: Makes the pass again with the past weights; None where no regulariser asks for them.
    """

    output: Tensor
    forward: Callable[[Tensor | None], Tensor]
    embedded_shape: tuple[int, int]
    loss: Callable[[Tensor], Tensor]
    divergence: Divergence
    random_state: RandomState
    forward_with_past: Callable[[], Tensor] | None = None

    @property
    def device(self) -> torch.device:
        """Device of the pass."""
        return self.output.device

    def repeat(self, perturbation: Tensor | None = None) -> Tensor:
        """Return the output again under the same dropout masks."""
        with self.random_state.replayed():
            return self.forward(perturbation)

    def repeat_with_past(self) -> Tensor:
        """Return the output of the past weights under the same dropout masks, without gradients.

        Raises:
            ValueError: If there are none.
        """
        if self.forward_with_past is None:
            raise ValueError("there are no past weights (expected a regulariser that has past_decay)")
        with self.random_state.replayed(), torch.no_grad():
            return self.forward_with_past()

    def redraw(self) -> Tensor:
        """Return the output again under new dropout masks."""
        return self.forward(None)


class Regularizer(ABC):
    """A term that is added to the loss of a training batch.

    It is computed batch by batch, so it fits every schedule, and its random numbers are PyTorch's, which are seeded
    before each step. One that remembers something is an `nn.Module` too, with buffers for what it remembers: they are
    saved, and a resumed training goes on with them. Under several processes each sees its own rows.

    Attributes:
        tasks: Names of the regularised tasks; None for all.
        needs_gradients: Whether the backbone must be trainable.
        needs_dropout: Whether it compares passes that differ by their dropout masks alone.
    """

    tasks: tuple[str, ...] | None = None
    needs_gradients: bool = True
    needs_dropout: ClassVar[bool] = False

    @property
    def past_decay(self) -> float | None:
        """Share of the past weights that stays at an optimiser step; None where they are not needed."""
        return None

    @abstractmethod
    def penalty(self, clean: ForwardPass) -> Tensor:
        """Return the term, a scalar.

        Args:
            clean: The pass that the task's loss comes from.
        """

    def covers(self, task: str) -> bool:
        """Whether a task is regularised."""
        return self.tasks is None or task in self.tasks


def check_weight(name: str, value: float) -> None:
    """Refuse a negative weight.

    Raises:
        ValueError: If it is.
    """
    if value < 0:
        raise ValueError(f"{name} is {value} (expected 0 or more)")
