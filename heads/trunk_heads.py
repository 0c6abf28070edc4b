"""Heads that read a pooled vector and the trunk's shared one, each in its own way."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from heads.cosine import score_by_cosine
from heads.head import Head, check_size
from heads.labels import LabelSpace, Scores
from heads.losses import Loss, output_for


class OwnProjection(nn.Module):
    """Divides what a head reads into the pooled and the shared vector, and projects the pooled one for the task.

    Args:
        joined_size: Size of what the head reads (H + U).
        trunk_size: Size of the shared vector (U).
        size: Size of the task's own projection (P).
        dropout: Probability that an entry of the pooled vector is dropped.

    Raises:
        ValueError: If nothing is left for the pooled vector, or a size is less than 1.
    """

    def __init__(self, joined_size: int, *, trunk_size: int, size: int, dropout: float) -> None:
        super().__init__()
        check_size("projection_size", size)
        check_size("trunk_size", trunk_size)
        self.hidden_size = joined_size - trunk_size
        if self.hidden_size < 1:
            raise ValueError(f"trunk_size is {trunk_size}, but pooled and shared vector together have {joined_size}")
        self.trunk_size = trunk_size
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(self.hidden_size, size)

    def forward(self, joined: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return pooled (..., H), its projection (..., P) and shared (..., U)."""
        pooled, shared = self.dropout(joined[..., : self.hidden_size]), joined[..., self.hidden_size :]
        return pooled, self.linear(pooled), shared


class TrunkLinearHead(Head):
    """ReLU and one linear layer on [own projection, shared]: for single sentences and cross-encoded pairs.

    Args:
        hidden_size: Size of what it reads, pooled and shared vector (H + U).
        labels: The task's labels.
        dropout: Probability that an entry of the pooled vector is dropped.
        projection_size: Size of the task's own projection.
        trunk_size: Size of the shared vector; that of `model.trunk`.
        loss: How it learns; None for the usual one of the label.

    Source: Venkateswaran 2024, figure 1, sentiment.
    """

    num_sequences: ClassVar[int] = 1

    def __init__(
        self,
        hidden_size: int,
        labels: LabelSpace,
        *,
        dropout: float = 0.3,
        projection_size: int = 256,
        trunk_size: int = 128,
        loss: Loss | None = None,
    ) -> None:
        super().__init__(labels, output_for(labels, loss))
        self.own = OwnProjection(hidden_size, trunk_size=trunk_size, size=projection_size, dropout=dropout)
        self.linear = nn.Linear(projection_size + trunk_size, self.output.num_values)

    def compute(self, pooled: Tensor) -> Tensor:
        """Map (B, 1, H + U) to the output."""
        _, own, shared = self.own(pooled[:, 0])
        return self.output.from_raw(self.linear(torch.cat([own, shared], dim=1).relu()))


class TrunkProductHead(Head):
    """A bi-encoded pair by two products: of the shared vectors, and of the own projections with both vectors beside it.

    z = Linear[e1, e2, d1 * d2], d = the own projection; the output is Linear(relu[shared1 * shared2, z]).

    Args:
        hidden_size: Size of what it reads of a side, pooled and shared vector (H + U).
        labels: The task's labels.
        dropout: Probability that an entry is dropped, of the pooled vectors and again of [e1, e2, d1 * d2].
        projection_size: Size of the own projection (d).
        trunk_size: Size of the shared vector; that of `model.trunk`, and that of z.
        loss: How it learns; None for the usual one of the label.

    Source: Venkateswaran 2024, figure 1, paraphrases.
    """

    num_sequences: ClassVar[int] = 2

    def __init__(
        self,
        hidden_size: int,
        labels: LabelSpace,
        *,
        dropout: float = 0.3,
        projection_size: int = 256,
        trunk_size: int = 128,
        loss: Loss | None = None,
    ) -> None:
        super().__init__(labels, output_for(labels, loss))
        self.own = OwnProjection(hidden_size, trunk_size=trunk_size, size=projection_size, dropout=dropout)
        self.dropout = nn.Dropout(dropout)
        self.join = nn.Linear(2 * self.own.hidden_size + projection_size, trunk_size)
        self.linear = nn.Linear(2 * trunk_size, self.output.num_values)

    def compute(self, pooled: Tensor) -> Tensor:
        """Map (B, 2, H + U) to the output."""
        vectors, own, shared = self.own(pooled)
        beside = torch.cat([vectors.flatten(1), own.prod(dim=1)], dim=1)  # (B, 2H + P)
        products = torch.cat([shared.prod(dim=1), self.join(self.dropout(beside))], dim=1)  # (B, 2U)
        return self.output.from_raw(self.linear(products.relu()))


class TrunkCosineHead(Head):
    """Similarity of a bi-encoded pair as the cosine of [own projection, shared] of both sides.

    The score is `low + (high - low) * cosine`, as CosineHead's.

    Args:
        hidden_size: Size of what it reads of a side, pooled and shared vector (H + U).
        labels: The task's labels: scores.
        dropout: Probability that an entry of a pooled vector is dropped.
        projection_size: Size of the task's own projection.
        trunk_size: Size of the shared vector; that of `model.trunk`.
        loss: How it learns; None for squares.

    Source: Venkateswaran 2024, figure 1, similarity.
    """

    num_sequences: ClassVar[int] = 2
    label_kinds: ClassVar[tuple[type[LabelSpace], ...]] = (Scores,)

    def __init__(
        self,
        hidden_size: int,
        labels: LabelSpace,
        *,
        dropout: float = 0.3,
        projection_size: int = 256,
        trunk_size: int = 128,
        loss: Loss | None = None,
    ) -> None:
        super().__init__(labels, output_for(labels, loss))
        assert isinstance(labels, Scores)  # Head has refused others
        self.low, self.high = labels.low, labels.high
        self.own = OwnProjection(hidden_size, trunk_size=trunk_size, size=projection_size, dropout=dropout)

    def compute(self, pooled: Tensor) -> Tensor:
        """Map (B, 2, H + U) to scores in label units (B,)."""
        first, second = self.embed(pooled).unbind(dim=1)  # (B, P + U) each
        return score_by_cosine(first, second, low=self.low, high=self.high)

    @property
    def compares_by_cosine(self) -> bool:
        """It does."""
        return True

    def embed(self, pooled: Tensor) -> Tensor:
        """Return [own projection, shared], whose cosine is taken, (..., H + U) to (..., P + U)."""
        _, own, shared = self.own(pooled)
        return torch.cat([own, shared], dim=-1)


def check_trunk(head: nn.Module, size: int | None) -> None:
    """Check that a head, or one inside it, reads a shared vector only where there is one of its size.

    Args:
        head: A head.
        size: Size of the trunk's vector; None where there is no trunk.

    Raises:
        ValueError: If not.
    """
    for part in head.modules():
        if isinstance(part, OwnProjection) and part.trunk_size != size:
            there = "there is none" if size is None else f"its size is {size}"
            raise ValueError(
                f"{type(head).__name__} reads a shared vector of size {part.trunk_size}, but {there} (expected "
                f"model.trunk.size {part.trunk_size}, or the head's trunk_size to be that of the trunk)"
            )
