"""Attention scores that also depend on the distance of two tokens: MPNet's and DeBERTa's, on packed tokens.

The distances are the same in every sequence, so that those of a group are computed once for all of its sequences.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from backbones.attention import Scores
from backbones.attention_groups import QueryRows
from backbones.packing import PackedTokens
from transformers_internals import (
    distance_bias,
    distance_buckets,
    distance_projections,
    distance_span,
    distance_table,
)

ScoresOf = Callable[[int], Scores]  # by the number of the layer


def build_scores(model: PreTrainedModel, tokens: PackedTokens, wanted: QueryRows | None) -> ScoresOf:
    """Return the scores of a batch, for all layers that ask the same rows.

    Args:
        model: A model of `backbones.families.has_relative_scores`.
        tokens: The packed sequences.
        wanted: The tokens that ask; None for all.
    """
    distances = measure_distances(tokens, wanted)
    if model.config.model_type == "mpnet":
        biases = [distance_bias(model, distance) for distance in distances]  # (n or 1, heads, Q, L)
        return lambda number: partial(_add_biases, biases)
    return DisentangledScores(model, tokens.max_length, distances)


def measure_distances(tokens: PackedTokens, wanted: QueryRows | None) -> list[Tensor]:
    """Return the position of each query less that of each key of every group, (n, Q, L); (1, L, L) where all ask."""
    distances = []
    for number, group in enumerate(tokens.groups):
        own = torch.arange(group.keys.shape[1], device=group.keys.device)
        asking = own[None]
        if wanted is not None:
            asking = tokens.position_ids.index_select(0, wanted.rows)[wanted.groups[number]]  # (n, Q)
        distances.append(asking[:, :, None] - own)
    return distances


def _add_biases(biases: Sequence[Tensor], group: int, query: Tensor, key: Tensor) -> Tensor:
    scores: Tensor = (query * query.shape[-1] ** -0.5) @ key.transpose(2, 3)
    scores += biases[group]
    return scores


class DisentangledScores:
    """DeBERTa's: content by content, content by distance and distance by content.

    The padded model multiplies every token by its whole table of distances, 512 rows in published models, and keeps of
    the products those that occur; here a group's tokens meet the distances of the group alone.

    Args:
        model: The model.
        longest: Tokens of a sequence at most.
        distances: Of each group, see `measure_distances`.

    Source: He et al. 2021, section 3.1, https://arxiv.org/abs/2006.03654
    """

    def __init__(self, model: PreTrainedModel, longest: int, distances: Sequence[Tensor]) -> None:
        self._model = model
        span, self._reach = distance_span(model), distance_span(model, longest)
        self._table = distance_table(model)[span - self._reach : span + self._reach]  # (2 * reach, H)
        self._reaches = [distance_span(model, distance.shape[-1]) for distance in distances]
        self._places = [
            (distance_buckets(model, distance) + reach).clamp(0, 2 * reach - 1)[:, None]  # (n or 1, 1, Q, L)
            for distance, reach in zip(distances, self._reaches, strict=True)
        ]

    def __call__(self, number: int) -> Scores:
        """Return the scores of a layer."""
        parts = distance_projections(self._model, number)
        table = parts.dropout(self._table)
        keys, queries = (self._project(module, table) for module in (parts.key, parts.query))
        return partial(self._compute, keys, queries)

    def _project(self, module: nn.Module | None, table: Tensor) -> Tensor | None:
        """Return the heads of projected distances, (heads, 2 * reach, D)."""
        if module is None:
            return None
        heads: int = self._model.config.num_attention_heads
        projected: Tensor = module(table)
        return projected.view(table.shape[0], heads, -1).transpose(0, 1)

    def _compute(self, keys: Tensor | None, queries: Tensor | None, group: int, query: Tensor, key: Tensor) -> Tensor:
        place, reach = self._places[group], self._reaches[group]
        near = slice(self._reach - reach, self._reach + reach)
        terms = [query @ key.transpose(2, 3)]  # (n, heads, Q, L)
        if keys is not None:
            products = torch.einsum("nhqd,hpd->nhqp", query, keys[:, near])
            terms.append(products.gather(3, place.expand_as(terms[0])))
        if queries is not None:
            products = torch.einsum("nhkd,hpd->nhkp", key, queries[:, near])
            terms.append(products.gather(3, place.expand_as(terms[0]).transpose(2, 3)).transpose(2, 3))
        total: Any = sum(terms[1:], terms[0])
        scores: Tensor = total * (len(terms) * query.shape[-1]) ** -0.5
        return scores
