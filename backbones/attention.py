"""Attention inside each of the packed sequences, in three ways with the same numbers."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from backbones.attention_gradients import HeadLayouts, attend_with_dropout
from backbones.attention_groups import QueryRows
from backbones.dropout import bit_dropout, drops_by_bits
from backbones.packing import PackedTokens

Attention = Literal["grouped", "masked", "varlen"]
# Returns the scores of a group, (n, heads, Q, L), from its number, its queries (n, heads, Q, D) and keys.
Scores = Callable[[int, Tensor, Tensor], Tensor]


class Attend(Protocol):
    """Rows (R, H) ask, rows (T, H) answer, each inside its own sequence; returns (R, H).

    With `reach`, only rows of a sequence that are so many tokens away at most answer.
    """

    def __call__(
        self, query: Tensor, key: Tensor, value: Tensor, *, num_heads: int, dropout: float, reach: int | None = None
    ) -> Tensor:
        """Attend."""


def build_attention(kind: Attention, tokens: PackedTokens, wanted: QueryRows | None = None) -> Attend:
    """Return the attention of a batch, for all layers that ask the same rows.

    Args:
        kind: How it is computed.
        tokens: The packed sequences.
        wanted: The tokens that ask; None for all.
    """
    builders: dict[Attention, type[GroupedAttention | MaskedAttention | VarlenAttention]] = {
        "grouped": GroupedAttention,
        "masked": MaskedAttention,
        "varlen": VarlenAttention,
    }
    return builders[kind](tokens, wanted)


class GroupedAttention:
    """Pads inside a few groups of sequences of similar length. Runs everywhere; the fastest on a CPU."""

    def __init__(self, tokens: PackedTokens, wanted: QueryRows | None = None) -> None:
        asking = [group.queries for group in tokens.groups] if wanted is None else wanted.groups
        self._asking, self._answering = _Grids(asking), _Grids([group.keys for group in tokens.groups])
        self._positions = _Positions(tokens, wanted)
        self._masks: dict[int | None, list[Tensor | None]] = {None: [group.mask for group in tokens.groups]}
        self._slots = tokens.slots if wanted is None else wanted.slots
        self._layouts = HeadLayouts(self._asking.grids, self._slots, self._answering.grids, tokens.slots)

    def __call__(
        self, query: Tensor, key: Tensor, value: Tensor, *, num_heads: int, dropout: float, reach: int | None = None
    ) -> Tensor:
        """Attend group by group."""
        if reach not in self._masks:
            self._masks[reach] = self._mask_beyond(reach)
        if query.device.type == "cpu" and drops_by_bits(dropout) and len(query) and not torch.compiler.is_compiling():
            asking, answering = self._layouts.of(num_heads, query.dtype)
            return attend_with_dropout(
                *(query, key, value),
                asking=asking,
                answering=answering,
                masks=self._masks[reach],
                num_heads=num_heads,
                dropout=dropout,
            )
        queries, keys, values = self._asking(query), self._answering(key), self._answering(value)
        results = [
            attend_padded(*(_split_heads(states, num_heads) for states in (q, k, v)), mask=mask, dropout=dropout)
            for q, k, v, mask in zip(queries, keys, values, self._masks[reach], strict=True)
        ]  # (n, heads, Q, H / heads)
        joined = torch.cat([context.transpose(1, 2).reshape(-1, query.shape[1]) for context in results])  # (rows, H)
        return joined.index_select(0, self._slots)  # (R, H)

    def _mask_beyond(self, reach: int | None) -> list[Tensor | None]:
        """Return the masks of all groups, (n, 1, Q, L) where some keys are out of reach."""
        if reach is None:
            return self._masks[None]
        own, asking = self._positions.both()
        masks: list[Tensor | None] = []
        for mask, keys, queries in zip(self._masks[None], self._answering.grids, self._asking.grids, strict=True):
            if keys.shape[1] > reach + 1:
                near = (asking[queries][:, None, :, None] - own[keys][:, None, None, :]).abs() <= reach  # (n, 1, Q, L)
                mask = near if mask is None else near & mask
                # a sequence without wanted rows asks with a row of another one, which may be far from all of its keys
                mask = mask | ~mask.any(-1, keepdim=True)
            masks.append(mask)
        return masks

    def by_scores(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        *,
        num_heads: int,
        dropout: float,
        reach: int | None = None,
        scores: Scores,
    ) -> Tensor:
        """Attend with scores of the model's own, in the place of scaled products."""
        assert reach is None, "models with scores of their own have no local attention"
        results = []
        grids = zip(self._asking(query), self._answering(key), self._answering(value), self._masks[None], strict=True)
        for number, (*states, mask) in enumerate(grids):
            q, k, v = (_split_heads(each, num_heads) for each in states)
            results.append(weigh(scores(number, q, k), v, mask=mask, dropout=dropout))
        joined = torch.cat([context.transpose(1, 2).reshape(-1, query.shape[1]) for context in results])  # (rows, H)
        return joined.index_select(0, self._slots)  # (R, H)


class _Positions(NamedTuple):
    """Where tokens stand in their sequences: asked for only where a key may be out of reach."""

    tokens: PackedTokens
    wanted: QueryRows | None

    def both(self) -> tuple[Tensor, Tensor]:
        """Return the positions of all tokens, (T,), and of those that ask, (R,)."""
        own = self.tokens.position_ids
        return own, own if self.wanted is None else own.index_select(0, self.wanted.rows)


class _Grids:
    """Gathers rows for all groups at once: backward then adds into one tensor of zeros instead of one a group."""

    def __init__(self, grids: Sequence[Tensor]) -> None:
        self.grids = grids
        self._shapes = [grid.shape for grid in grids]
        self._rows = torch.cat([grid.flatten() for grid in grids])  # (sum of n * L,)

    def __call__(self, states: Tensor) -> list[Tensor]:
        """Gather states (T, H) into one (n, L, H) a group."""
        parts = torch.split(states.index_select(0, self._rows), [shape.numel() for shape in self._shapes])
        return [part.view(*shape, states.shape[1]) for part, shape in zip(parts, self._shapes, strict=True)]


def _split_heads(states: Tensor, num_heads: int) -> Tensor:
    """Split states (n, L, H) into (n, heads, L, H / heads)."""
    return states.view(*states.shape[:2], num_heads, states.shape[2] // num_heads).transpose(1, 2)


def attend_padded(query: Tensor, key: Tensor, value: Tensor, *, mask: Tensor | None, dropout: float) -> Tensor:
    """Attend over sequences of equal length.

    With dropout PyTorch's function computes step by step on a CPU too, and looks for rows without any key, of which
    there are none here: these are its steps without that, a 30th of a small BERT's training step. In half precision
    PyTorch's steps are in float32 inside; these are not, which rounds two to three times as much (more where scores
    are large) and saves 2 to 4 % of a training step.

    Args:
        query: (n, heads, Q, D).
        key: (n, heads, L, D).
        value: (n, heads, L, D).
        mask: True where a key counts, (n, 1, 1 or Q, L), at least one for each query; None where all do.
        dropout: Probability of an attention weight to become 0.

    Returns:
        (n, heads, Q, D).
    """
    if dropout == 0 or query.device.type != "cpu":
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout)
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(2, 3)  # (n, heads, Q, L)
    return weigh(scores, value, mask=mask, dropout=dropout)


def weigh(scores: Tensor, value: Tensor, *, mask: Tensor | None, dropout: float) -> Tensor:
    """Return values weighted by the softmax of their scores, (n, heads, Q, D).

    Args:
        scores: (n, heads, Q, L); changed in place.
        value: (n, heads, L, D).
        mask: As for `attend_padded`.
        dropout: As for `attend_padded`.
    """
    if mask is not None:
        scores = scores.masked_fill_(~mask, -torch.inf)
    weights = scores.softmax(-1)
    return (weights if dropout == 0 else bit_dropout(weights, dropout)) @ value


class MaskedAttention:
    """All T tokens as one sequence under a block-diagonal mask: R · T products, most of them masked away.

    Runs everywhere, in public PyTorch alone, and its shapes depend on T and R only, so that it can be compiled and
    captured; on a GPU the waste is small up to some two thousand tokens. On a CPU prefer GroupedAttention.
    """

    def __init__(self, tokens: PackedTokens, wanted: QueryRows | None = None) -> None:
        ids = tokens.sequence_ids
        asking = ids if wanted is None else ids.index_select(0, wanted.rows)  # (R,)
        self._mask = asking[:, None] == ids[None, :]  # (R, T)
        self._positions = _Positions(tokens, wanted)

    def __call__(
        self, query: Tensor, key: Tensor, value: Tensor, *, num_heads: int, dropout: float, reach: int | None = None
    ) -> Tensor:
        """Attend with all rows at once."""
        if query.shape[0] == 0:
            return _nothing(query, key, value)
        mask = self._mask
        if reach is not None:
            own, asking = self._positions.both()
            mask = mask & ((asking[:, None] - own[None, :]).abs() <= reach)
        q, k, v = (states.view(1, states.shape[0], num_heads, -1).transpose(1, 2) for states in (query, key, value))
        context = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout)
        return context.transpose(1, 2).reshape(query.shape)  # (R, H)


class VarlenAttention:
    """The CUDA kernels that take `cu_seqlens`: no padding and no mask, one launch per layer, dropout included.

    These are FlashAttention-2 in bfloat16 and float16, and the memory-efficient kernel in float32, called as PyTorch's
    nested tensors call them. What looks like the same and is not: `torch.nn.attention.varlen.varlen_attn` has no
    dropout argument and passes 0; FlashAttention 3 and 4 have none either (where PyTorch has them switched on it
    refuses dropout, while transformers' `flash_attention_3` drops it without a word); flex attention refuses it. The
    operators are private, so `backbones.attention_probe` tries them before a run relies on them.

    Every row from 0 to T must belong to a sequence: the kernels write no other rows. The kernel of float32 knows no
    window of keys: where some are out of reach, MaskedAttention computes.
    """

    def __init__(self, tokens: PackedTokens, wanted: QueryRows | None = None) -> None:
        self._tokens, self._wanted = tokens, wanted
        self._key_starts = tokens.cu_seqlens.to(torch.int32)
        self._longest = tokens.max_length
        self._query_starts = self._key_starts if wanted is None else wanted.cu_seqlens.to(torch.int32)
        self._most_queries = tokens.max_length if wanted is None else wanted.max_length

    def __call__(
        self, query: Tensor, key: Tensor, value: Tensor, *, num_heads: int, dropout: float, reach: int | None = None
    ) -> Tensor:
        """Attend with one kernel."""
        if query.shape[0] == 0:
            return _nothing(query, key, value)
        is_cut = reach is not None and self._longest > reach + 1
        if is_cut and query.dtype == torch.float32:
            masked = MaskedAttention(self._tokens, self._wanted)
            return masked(query, key, value, num_heads=num_heads, dropout=dropout, reach=reach)
        q, k, v = (states.view(states.shape[0], num_heads, -1) for states in (query, key, value))
        starts = (self._query_starts, self._key_starts, self._most_queries, self._longest)
        if query.dtype == torch.float32:
            found = torch.ops.aten._efficient_attention_forward(
                q[None], k[None], v[None], None, *starts, dropout, 0, torch.is_grad_enabled()
            )
        else:
            window = {"window_size_left": reach, "window_size_right": reach} if is_cut else {}
            found = torch.ops.aten._flash_attention_forward(q, k, v, *starts, dropout, False, False, **window)
        context: Tensor = found[0]
        return context.reshape(query.shape)  # (R, H)


def _nothing(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Return the results of no rows, (0, H), with a gradient of 0 for all three."""
    return query + 0 * (key.sum() + value.sum())
