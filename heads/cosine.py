"""Similarity of a bi-encoded pair as the cosine of its two sides."""

from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from heads.head import Head, check_size
from heads.labels import LabelSpace, Scores
from heads.losses import Loss, output_for
from heads.precision import widen


class CosineHead(Head):
    """The paper's second similarity head (B2): the cosine of one shared projection of both sides, scaled to the label.

    The score is `low + (high - low) * cosine`, so 5 * cosine for labels from 0 to 5; opposite vectors fall below
    `low`, which the squared error pulls up.

    Args:
        hidden_size: Size of a pooled vector (H).
        labels: The task's labels: scores.
        dropout: Probability that an entry of a pooled vector is dropped.
        projection_size: Size of the projection whose cosine is taken.
        loss: How it learns; None for squares.

    Source: Zhong & Liu, section 3.1, B2; Reimers & Gurevych 2019, https://arxiv.org/abs/1908.10084
    """

    num_sequences: ClassVar[int] = 2
    label_kinds: ClassVar[tuple[type[LabelSpace], ...]] = (Scores,)

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
        assert isinstance(labels, Scores)  # Head has refused others
        check_size("projection_size", projection_size)
        self.low, self.high = labels.low, labels.high
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(hidden_size, projection_size)

    def compute(self, pooled: Tensor) -> Tensor:
        """Map (B, 2, H) to scores in label units (B,)."""
        first, second = self.embed(pooled).unbind(dim=1)  # (B, P) each
        return score_by_cosine(first, second, low=self.low, high=self.high)

    @property
    def compares_by_cosine(self) -> bool:
        """It does."""
        return True

    @property
    def projection(self) -> nn.Linear:
        """The projection of both sides."""
        return self.project

    def embed(self, pooled: Tensor) -> Tensor:
        """Return the projections whose cosine is taken, (..., H) to (..., P)."""
        projected: Tensor = self.project(self.dropout(pooled))
        return projected


def score_by_cosine(first: Tensor, second: Tensor, *, low: float, high: float) -> Tensor:
    """Return `low + (high - low) * cosine` of each pair of vectors, (B, P) twice to (B,)."""
    return low + (high - low) * F.cosine_similarity(widen(first), widen(second), dim=1)
