"""SMART: outputs that stay the same when the embeddings move a little in the worst direction."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from objectives.regularizer import ForwardPass, Regularizer, check_weight


@dataclass(frozen=True)
class Smart(Regularizer):
    """Smoothness-inducing adversarial regularisation: weight · l(f(x), f(x + d)), d the worst small perturbation.

    d is found by gradient ascent on l: it starts as normal noise on the embedding output (after LayerNorm and dropout);
    each step adds step_size · g / |g|, |g| the largest absolute entry of a token's gradient, and projects every token's
    d. All passes have the dropout masks of the clean one, so l measures the perturbation alone. l is the symmetric KL
    divergence for classes and yes/no, the squared difference for scores. The last d is used, on both sentences of a
    pair.

    `ball` is the paper's projection: entries are cut to [-radius, radius]; with its radius of 1e-5, l is about 1e-10
    and trains nothing. `sphere` scales each token's d so that its largest entry is radius, as mt-dnn and smart-pytorch
    do with radius 1, with which the gains were reported.

    The ascent is computed in float32 also under mixed precision: noise of 1e-5 vanishes in bfloat16. It costs a forward
    and a backward pass to the embeddings each step, the penalty another forward and backward; under mixed precision one
    more forward. R-Drop is cheaper.

    Args:
        weight: Factor on the term (the paper's lambda).
        noise: Standard deviation of the first noise (sigma).
        steps: Ascent steps; 0 leaves random noise, a baseline.
        step_size: Length of an ascent step (eta).
        radius: Size of the perturbation.
        projection: What `radius` bounds, see above.
        tasks: Names of the regularised tasks; None for all.

    Raises:
        ValueError: If a number is out of range.

    Source: Jiang et al. 2020, algorithm 1, https://arxiv.org/abs/1911.03437; https://github.com/namisan/mt-dnn
    """

    needs_gradients: ClassVar[bool] = True

    weight: float = 1.0
    noise: float = 1e-5
    steps: int = 1
    step_size: float = 1e-3
    radius: float = 1.0
    projection: Literal["ball", "sphere"] = "sphere"
    tasks: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_weight("Smart: weight", self.weight)
        for name, value in (("noise", self.noise), ("step_size", self.step_size), ("radius", self.radius)):
            if value <= 0:
                raise ValueError(f"Smart: {name} is {value} (expected more than 0)")
        if self.projection not in ("ball", "sphere"):
            raise ValueError(f"Smart: projection is {self.projection!r} (expected 'ball' or 'sphere')")
        if self.steps < 0:
            raise ValueError(f"Smart: steps is {self.steps} (expected 0 or more)")

    def penalty(self, clean: ForwardPass) -> Tensor:
        """Return the weighted divergence between the clean and the perturbed output."""
        return self.weight * clean.divergence(clean.output, clean.repeat(self.find_perturbation(clean)))

    def find_perturbation(self, clean: ForwardPass) -> Tensor:
        """Find the perturbation of the embedding output, (T, H) float32."""
        perturbation = torch.randn(clean.embedded_shape, device=clean.device) * self.noise
        if self.steps == 0:
            return self._project(perturbation)
        is_mixed = torch.is_autocast_enabled(clean.device.type)
        with torch.autocast(clean.device.type, enabled=False):
            target = _repeat_without_gradients(clean) if is_mixed else clean.output.detach()
            for _ in range(self.steps):
                perturbation.requires_grad_()
                divergence = clean.divergence(target, clean.repeat(perturbation))
                (gradient,) = torch.autograd.grad(divergence, perturbation)
                step = self.step_size * gradient / _largest_entries(gradient)
                perturbation = self._project(perturbation.detach() + step)
        return perturbation

    def _project(self, perturbation: Tensor) -> Tensor:
        if self.projection == "ball":
            return perturbation.clamp(-self.radius, self.radius)
        return self.radius * perturbation / _largest_entries(perturbation)


@torch.no_grad()
def _repeat_without_gradients(clean: ForwardPass) -> Tensor:
    return clean.repeat()


def _largest_entries(vectors: Tensor) -> Tensor:
    """Largest absolute entry of each token's vector, (T, 1); never 0."""
    return vectors.abs().amax(dim=1, keepdim=True).clamp_min(torch.finfo(vectors.dtype).tiny)
