"""Where the weights were some steps before, for regularisers that compare with it."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from tasks import InputError

KEY = "past_weights"  # in a checkpoint


class PastWeights:
    """A moving average of the weights that train, beside them.

    Only checkpoints that a training can be resumed from hold it; models that are loaded, exported or evaluated do not
    know it.

    Args:
        decay: Share of the average that stays at an optimiser step.
    """

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self._average: dict[str, Tensor] = {}
        self._resumed: dict[str, Tensor] | None = None

    def start(self, module: nn.Module) -> None:
        """Begin with the weights as they are, unless a resumed training goes on with its own.

        Raises:
            InputError: If those are of other parameters.
        """
        weights = _training_weights(module)
        average, self._resumed = self._resumed or weights, None
        if average.keys() != weights.keys():
            raise InputError("a resumed training compares with the past weights of its checkpoint, which are others")
        self._average = {name: average[name].detach().clone().to(weight) for name, weight in weights.items()}

    def follow(self, module: nn.Module) -> None:
        """Move the average after an optimiser step."""
        weights = _training_weights(module)
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self._average.values()), [weights[name] for name in self._average], 1 - self.decay
            )

    def call(self, module: nn.Module, *arguments: Any) -> Any:
        """Call the module with the average in the place of its weights."""
        return functional_call(module, self._average, arguments)

    def save(self, checkpoint: dict[str, Any]) -> None:
        """Add the average to a checkpoint that a training can be resumed from."""
        if "optimizer_states" in checkpoint:
            checkpoint[KEY] = self._average

    def load(self, checkpoint: dict[str, Any]) -> None:
        """Go on with a checkpoint's average.

        Raises:
            InputError: If it has none.
        """
        if KEY not in checkpoint:
            raise InputError(
                "a resumed training compares with the past weights of its checkpoint, but there are none in it "
                "(expected one that was trained with BregmanProximalPoint)"
            )
        self._resumed = checkpoint[KEY]


def _training_weights(module: nn.Module) -> dict[str, Tensor]:
    return {name: weight for name, weight in module.named_parameters() if weight.requires_grad}
