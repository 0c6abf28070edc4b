"""Heads for bi-encoded pairs that multiply projections of the two sides."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from heads.head import Head, check_size
from heads.labels import LabelSpace, Scores, YesNo
from heads.losses import AbsoluteError, Loss, output_for


class ProductHead(Head):
    """The paper's first head (B1): each side through a projection of its own, the product through a linear layer.

    Its usual loss is the mean absolute difference to the sigmoid, as in the paper. ConcatProductHead learns paraphrases
    better; this one is kept to compare with.

    Args:
        hidden_size: Size of a pooled vector (H).
        labels: The task's labels: yes/no or scores.
        dropout: Probability that an entry of a pooled vector is dropped.
        loss: How it learns; None for absolute differences, as in the paper.

    Source: Zhong & Liu, section 3.1, B1.
    """

    num_sequences: ClassVar[int] = 2
    label_kinds: ClassVar[tuple[type[LabelSpace], ...]] = (YesNo, Scores)

    def __init__(self, hidden_size: int, labels: LabelSpace, *, dropout: float = 0.3, loss: Loss | None = None) -> None:
        usual = AbsoluteError() if self.can_predict(labels) else None  # Head refuses others
        super().__init__(labels, output_for(labels, loss or usual))
        self.dropout = nn.Dropout(dropout)
        self.first = nn.Linear(hidden_size, hidden_size)
        self.second = nn.Linear(hidden_size, hidden_size)
        self.linear = nn.Linear(hidden_size, self.output.num_values)

    def compute(self, pooled: Tensor) -> Tensor:
        """Map (B, 2, H) to the output (B,)."""
        first, second = self.dropout(pooled).unbind(dim=1)  # (B, H) each
        return self.output.from_raw(self.linear(self.first(first) * self.second(second)))


class ConcatProductHead(Head):
    """The paper's second paraphrase head (B2): [e1, e2, o1 * o2] through a linear layer, o = one shared projection.

    Args:
        hidden_size: Size of a pooled vector (H).
        labels: The task's labels.
        dropout: Probability that an entry is dropped, of the pooled vectors and again of the joined vector.
        projection_size: Size of the projection (P); the joined vector has 2H + P entries.
        loss: How it learns; None for the usual one of the label.

    Source: Zhong & Liu, section 3.1, B2; Venkateswaran 2024.
    """

    num_sequences: ClassVar[int] = 2

    def __init__(
        self,
        hidden_size: int,
        labels: LabelSpace,
        *,
        dropout: float = 0.3,
        projection_size: int = 128,
        loss: Loss | None = None,
    ) -> None:
        super().__init__(labels, output_for(labels, loss))
        check_size("projection_size", projection_size)
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(hidden_size, projection_size)
        self.linear = nn.Linear(2 * hidden_size + projection_size, self.output.num_values)

    def compute(self, pooled: Tensor) -> Tensor:
        """Map (B, 2, H) to the output."""
        vectors = self.dropout(pooled)
        product = self.project(vectors).prod(dim=1)  # (B, P)
        joined = torch.cat([vectors.flatten(1), product], dim=1)  # (B, 2H + P)
        return self.output.from_raw(self.linear(self.dropout(joined)))
