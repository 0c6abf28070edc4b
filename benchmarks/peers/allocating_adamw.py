"""AdamW as textbooks and course projects write it."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn


class AllocatingAdamW(torch.optim.Optimizer):
    """AdamW in a Python loop over the parameters, with new moments at each step.

    Args:
        parameters: What to train.
        lr: Learning rate.
        weight_decay: Decoupled weight decay of all parameters.
        betas: Decay of the moments.
        eps: Added to the denominator.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        lr: float,
        weight_decay: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)

    def _update(self, parameter: nn.Parameter, group: dict[str, Any]) -> None:
        assert parameter.grad is not None
        state, (first, second) = self.state[parameter], group["betas"]
        if not state:
            state.update(t=0, m=torch.zeros_like(parameter), v=torch.zeros_like(parameter))
        state["t"] += 1
        state["m"] = first * state["m"] + (1 - first) * parameter.grad
        state["v"] = second * state["v"] + (1 - second) * parameter.grad * parameter.grad
        rate = group["lr"] * math.sqrt(1 - second ** state["t"]) / (1 - first ** state["t"])
        parameter.sub_(rate * state["m"] / (state["v"].sqrt() + group["eps"]))
        parameter.sub_(group["lr"] * group["weight_decay"] * parameter)
