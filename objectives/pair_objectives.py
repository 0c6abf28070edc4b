"""What a batch teaches beside its labels' loss: which pooled vectors should be close to each other."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from heads import LabelSpace
from heads.precision import widen
from objectives.processes import gather_rows


@dataclass(frozen=True)
class PairObjective(ABC):
    """An objective on the pooled vectors of a training batch, added to the task's loss before the task's weight.

    Each is a mean over the rows of the batch. In-batch negatives are the rows of the whole batch, also where several
    processes share it.

    Args:
        weight: Factor on the objective.

    Raises:
        ValueError: If an option is out of range.
    """

    passes_again: ClassVar[bool] = False  # whether it asks for another forward pass
    needs_dropout: ClassVar[bool] = False  # whether that pass differs by its dropout masks alone
    gathers: ClassVar[bool] = False  # whether it sees the rows of all processes; one without rows computes it too

    weight: float = 1.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name in ("weight", "temperature", "scale") and not 0 < value < math.inf:
                raise ValueError(f"{type(self).__name__}: {name} is {value} (expected more than 0)")

    @abstractmethod
    def check(self, labels: LabelSpace, num_sequences: int) -> None:
        """Check that the objective fits a task; ValueError says why it does not."""

    @abstractmethod
    def loss(self, pooled: Tensor, labels: Tensor, again: Callable[[], Tensor]) -> Tensor:
        """Return the objective of a batch, a scalar in fp32.

        Args:
            pooled: One vector a sequence, (B, S, H); the last two are the sides of a pair where there are two. With
                `gathers`, B may be 0.
            labels: Class indices or scores, (B,).
            again: Gives the vectors of another forward pass, with other dropout masks, (B, S, H).
        """


@dataclass(frozen=True)
class CosineEmbedding(PairObjective):
    """Cosine 1 for positive pairs, at most `margin` for the others: 1 - cos, or max(0, cos - margin).

    Args:
        margin: Cosine up to which a negative pair costs nothing, -1 to 1.
        positive: Which label makes a pair positive: the smallest such score, or the index of the class; None for yes.

    Source: torch.nn.CosineEmbeddingLoss.
    """

    margin: float = 0.0
    positive: float | None = None

    def check(self, labels: LabelSpace, num_sequences: int) -> None:
        """Ask for two vectors a pair and a label that tells positive from negative."""
        if not -1 <= self.margin <= 1:
            raise ValueError(f"CosineEmbedding: margin is {self.margin} (expected -1 to 1)")
        _check_sides(self, num_sequences)
        _check_positive(self, self.positive, labels)

    def loss(self, pooled: Tensor, labels: Tensor, again: Callable[[], Tensor]) -> Tensor:
        """Return the mean over the pairs."""
        first, second = widen(pooled).unbind(dim=1)  # (B, H) each
        sign = torch.where(_is_positive(labels, self.positive), 1.0, -1.0)
        return F.cosine_embedding_loss(first, second, sign, margin=self.margin)


@dataclass(frozen=True)
class MultipleNegativesRanking(PairObjective):
    """Each positive pair's first side has to find its second among the second sides of the whole batch.

    -log softmax_j(scale * cos(a_i, b_j)) at j = i, summed over the positive pairs i and divided by all rows: the second
    sides of negative pairs are candidates too, and a batch without a positive pair adds 0.

    Args:
        scale: Factor on the cosine (1 / temperature).
        positive: Which label makes a pair positive: the smallest such score, or the index of the class; None for yes.
        symmetric: Let second sides find their first too, and take the mean of both.

    Source: Henderson et al. 2017, section 4.4, https://arxiv.org/abs/1705.00652; normalised and scaled as
        sentence-transformers' MultipleNegativesRankingLoss.
    """

    gathers: ClassVar[bool] = True

    scale: float = 20.0
    positive: float | None = None
    symmetric: bool = False

    def check(self, labels: LabelSpace, num_sequences: int) -> None:
        """Ask for two vectors a pair and a label that tells positive from negative."""
        _check_sides(self, num_sequences)
        _check_positive(self, self.positive, labels)

    def loss(self, pooled: Tensor, labels: Tensor, again: Callable[[], Tensor]) -> Tensor:
        """Return the sum over the positive pairs divided by the rows."""
        first, second = F.normalize(widen(pooled), dim=2).unbind(dim=1)  # (B, H) each
        losses = _find_partners(first, second, self.scale)
        if self.symmetric:
            losses = (losses + _find_partners(second, first, self.scale)) / 2
        return torch.where(_is_positive(labels, self.positive), losses, 0.0).sum() / max(1, len(losses))


@dataclass(frozen=True)
class SimCse(PairObjective):
    """Each sequence has to find itself, as another forward pass with other dropout masks gives it, among the batch.

    Labels are not looked at. The sides of a pair are contrasted apart, first with first and second with second, so that
    no sentence is pushed away from its own partner. Costs a second forward pass through the backbone.

    Args:
        temperature: Divides the cosine.

    Source: Gao et al. 2021, section 3, https://arxiv.org/abs/2104.08821
    """

    passes_again: ClassVar[bool] = True
    needs_dropout: ClassVar[bool] = True
    gathers: ClassVar[bool] = True

    temperature: float = 0.05

    def check(self, labels: LabelSpace, num_sequences: int) -> None:
        """Fit every task."""

    def loss(self, pooled: Tensor, labels: Tensor, again: Callable[[], Tensor]) -> Tensor:
        """Return the mean over the sequences."""
        one, other = (F.normalize(widen(vectors), dim=2).unbind(dim=1) for vectors in (pooled, again()))  # (B, H) each
        losses = [_find_partners(*sides, 1 / self.temperature) for sides in zip(one, other, strict=True)]
        return torch.cat(losses).sum() / max(1, len(pooled) * len(losses))


def _find_partners(vectors: Tensor, partners: Tensor, scale: float) -> Tensor:
    """Return -log softmax_j(scale * v_i p_j) at j = i, (B,); v and p are (B, H), j counts those of all processes."""
    everyone, first = gather_rows(partners)
    logits = scale * _products(vectors, everyone)  # (B, partners)
    return F.cross_entropy(logits, first + torch.arange(len(logits), device=logits.device), reduction="none")


def _products(first: Tensor, second: Tensor) -> Tensor:
    """Dot products of all pairs in fp32 also under autocast: bfloat16 has steps of 1/8 at a logit of 20."""
    with torch.autocast(first.device.type, enabled=False):
        return first @ second.transpose(-2, -1)


def _is_positive(labels: Tensor, positive: float | None) -> Tensor:
    wanted = 1 if positive is None else positive
    return labels >= wanted if labels.is_floating_point() else labels == wanted


def _check_sides(objective: PairObjective, num_sequences: int) -> None:
    if num_sequences < 2:
        name = type(objective).__name__
        raise ValueError(f"auxiliary {name} compares the two sides of a pair (expected a pair task with encoding: bi)")


def _check_positive(objective: PairObjective, positive: float | None, labels: LabelSpace) -> None:
    try:
        labels.check_positive(positive)
    except ValueError as expected:
        name = type(objective).__name__
        raise ValueError(f"auxiliary {name}: positive is {positive} (expected {expected})") from None
