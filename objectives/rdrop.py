"""R-Drop: outputs that agree under different dropout masks."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from objectives.regularizer import ForwardPass, Regularizer, check_weight


@dataclass(frozen=True)
class RDrop(Regularizer):
    """Two passes with different dropout: mean of both losses + alpha · (KL(p|q) + KL(q|p)) / 2.

    Scores take half the squared difference, alpha · (a - b)² / 2. The mean of the two losses (as in the
    authors' code; their formula has the sum) keeps the task's loss on its scale. It costs one forward and one backward
    pass more. With a frozen backbone only the head's dropout differs. Without any dropout it is refused.

    Args:
        alpha: Factor on the disagreement; the paper has 0.5 to 1 for understanding tasks, 5 for translation.
        tasks: Names of the regularised tasks; None for all.

    Raises:
        ValueError: If alpha is negative.

    Source: Liang et al. 2021, equation 4, https://arxiv.org/abs/2106.14448; https://github.com/dropreg/R-Drop
    """

    needs_gradients: ClassVar[bool] = False
    needs_dropout: ClassVar[bool] = True

    alpha: float = 1.0
    tasks: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_weight("RDrop: alpha", self.alpha)

    def penalty(self, clean: ForwardPass) -> Tensor:
        """Return what turns the loss of the first pass into the whole objective."""
        second = clean.redraw()
        disagreement = clean.divergence(clean.output, second) / 2
        return (clean.loss(second) - clean.loss(clean.output)) / 2 + self.alpha * disagreement
