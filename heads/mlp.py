"""One hidden layer on one vector."""

from typing import ClassVar

from torch import Tensor, nn

from heads.head import Head, check_size
from heads.labels import LabelSpace
from heads.losses import Loss, output_for


class MlpHead(Head):
    """Dropout, a hidden layer with GELU and a linear layer: for single sentences and cross-encoded pairs.

    Take LinearHead where the backbone trains: it then forms the features itself. On a frozen backbone, or beside
    adapters, the hidden layer lets the head do part of it.

    Args:
        hidden_size: Size of the pooled vector (H).
        labels: The task's labels.
        dropout: Probability that an entry is dropped, of the pooled vector and again of the hidden layer.
        size: Size of the hidden layer.
        loss: How it learns; None for the usual one of the label.

    Source: L. Wang 2024 (her PALs have such heads).
    """

    num_sequences: ClassVar[int] = 1

    def __init__(
        self,
        hidden_size: int,
        labels: LabelSpace,
        *,
        dropout: float = 0.3,
        size: int = 256,
        loss: Loss | None = None,
    ) -> None:
        super().__init__(labels, output_for(labels, loss))
        check_size("size", size)
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(hidden_size, size)
        self.linear = nn.Linear(size, self.output.num_values)

    def compute(self, pooled: Tensor) -> Tensor:
        """Map (B, 1, H) to the output."""
        features = nn.functional.gelu(self.hidden(self.dropout(pooled[:, 0])))
        return self.output.from_raw(self.linear(self.dropout(features)))
