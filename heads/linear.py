"""One linear layer on one vector."""

from typing import ClassVar

from torch import Tensor, nn

from heads.head import Head
from heads.labels import LabelSpace
from heads.losses import Loss, output_for


class LinearHead(Head):
    """Dropout and one linear layer: for single sentences and cross-encoded pairs.

    Classes get softmax cross-entropy, yes/no one logit with binary cross-entropy, a score `low + (high - low) *
    sigmoid` with squared error. For bi-encoded pairs take ConcatProductHead (classes) or CosineHead (scores).

    Args:
        hidden_size: Size of the pooled vector (H).
        labels: The task's labels.
        dropout: Probability that an entry of the pooled vector is dropped.
        loss: How it learns; None for the usual one of the label.

    Source: Zhong & Liu, section 3.5 (cross-encoding) and 3.6 (task-head dropout).
    """

    num_sequences: ClassVar[int] = 1

    def __init__(self, hidden_size: int, labels: LabelSpace, *, dropout: float = 0.3, loss: Loss | None = None) -> None:
        super().__init__(labels, output_for(labels, loss))
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(hidden_size, self.output.num_values)

    @property
    def readout(self) -> nn.Linear:
        """The linear layer."""
        return self.linear

    def compute(self, pooled: Tensor) -> Tensor:
        """Map (B, 1, H) to the output."""
        return self.output.from_raw(self.linear(self.dropout(pooled[:, 0])))
