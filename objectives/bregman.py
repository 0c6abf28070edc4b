"""Bregman proximal point: outputs that stay near those of the weights of the steps before."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from objectives.regularizer import ForwardPass, Regularizer, check_weight


@dataclass(frozen=True)
class BregmanProximalPoint(Regularizer):
    """weight · l(f(x; w), f(x; w')), w' a moving average of the weights w: no step may go far.

    After each optimiser step w' = decay · w' + (1 - decay) · w; both start equal. Both passes have the same dropout
    masks, so l measures the weights alone, and w' gets no gradients. l is the symmetric KL divergence for classes and
    yes/no, the squared difference for scores. It costs a forward pass without gradients, and the memory of the trained
    weights once more. SMART's second part: `[Smart, BregmanProximalPoint]`; alone it is the Mean Teacher of the
    labelled examples.

    Args:
        weight: Factor on the term (the paper's mu).
        decay: Share of w' that stays at a step (beta). The paper has 0.99 in the first tenth of the steps and 0.999
            then; take 1 / (1 - decay) below a tenth of the steps. At 0 w' would be w, and the term nothing.
        tasks: Names of the regularised tasks; None for all.

    Raises:
        ValueError: If weight is negative or decay not between 0 and 1.

    Source: Jiang et al. 2020, section 3.2, https://arxiv.org/abs/1911.03437; Tarvainen & Valpola 2017,
        https://arxiv.org/abs/1703.01780
    """

    needs_gradients: ClassVar[bool] = False

    weight: float = 1.0
    decay: float = 0.99
    tasks: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_weight("BregmanProximalPoint: weight", self.weight)
        if not 0 < self.decay < 1:
            raise ValueError(f"BregmanProximalPoint: decay is {self.decay} (expected more than 0, less than 1)")

    @property
    def past_decay(self) -> float:
        """Share of the past weights that stays at a step."""
        return self.decay

    def penalty(self, clean: ForwardPass) -> Tensor:
        """Return the weighted divergence between the output and that of the past weights."""
        return self.weight * clean.divergence(clean.output, clean.repeat_with_past())
