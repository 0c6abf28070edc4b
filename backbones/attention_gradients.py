"""Grouped attention with dropout on a CPU, forward and backward by hand: the same numbers with half of the passes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from backbones.dropout import draw_kept

MULTIPLE = 8  # of half-precision products, for whose every size oneDNN builds a kernel: 7 % of a training step


class HeadRows(NamedTuple):
    """Where the heads of tokens lie in the groups, each head's tokens of a sequence one after the other.

    A vector of a token, (H,), is a row for each of its heads, (H / heads,).

    Args:
        rows: Row that goes into each place, (sum of n * heads * L,); places of padding repeat a token's.
        places: Place of each row, (T * heads,): the inverse, without padding.
        shapes: (n * heads, L) of each group.
        lengths: How many of L are a grid's own, for each group.
    """

    rows: Tensor
    places: Tensor
    shapes: list[tuple[int, int]]
    lengths: list[int]

    def gather(self, states: Tensor, num_heads: int) -> list[Tensor]:
        """Lay states (T, H) out, one (n * heads, L, D) a group."""
        return self.split(states.reshape(-1, states.shape[1] // num_heads).index_select(0, self.rows))

    def split(self, laid: Tensor) -> list[Tensor]:
        """View what is laid out, (sum of n * heads * L, D), as one (n * heads, L, D) a group."""
        parts = torch.split(laid, [count * length for count, length in self.shapes])
        return [part.view(*shape, laid.shape[1]) for part, shape in zip(parts, self.shapes, strict=True)]

    def collect(self, laid: Tensor, num_heads: int) -> Tensor:
        """Return the states (T, H) of what is laid out."""
        return laid.index_select(0, self.places).view(-1, num_heads * laid.shape[1])


def head_rows(grids: Sequence[Tensor], slots: Tensor, num_heads: int, *, multiple: int = 1) -> HeadRows:
    """Plan where heads lie.

    Args:
        grids: Row of each token in the groups, one (n, L) a group.
        slots: Place of each row in the flattened and joined grids, (T,).
        num_heads: Heads of a row.
        multiple: L is filled up to a multiple of it, unless it is 1.

    Example:
        >>> plan = head_rows([torch.tensor([[0, 1], [2, 2]])], torch.tensor([0, 1, 2]), 2)
        >>> plan.rows.tolist()
        [0, 2, 1, 3, 4, 4, 5, 5]
        >>> plan.places.tolist()
        [0, 2, 1, 3, 4, 6]
    """
    heads = torch.arange(num_heads)
    rows, places, shapes, start = [], [], [], 0
    for grid in grids:
        count, length = grid.shape
        if length > 1:
            grid = F.pad(grid, (0, -length % multiple), mode="replicate")
        rows.append((grid[:, None, :] * num_heads + heads[:, None]).flatten())  # (n, heads, L)
        lying = start + torch.arange(grid.numel() * num_heads).view(count, num_heads, -1)
        places.append(lying[..., :length].transpose(1, 2).reshape(-1, num_heads))  # (n * own L, heads)
        shapes.append((count * num_heads, grid.shape[1]))
        start += lying.numel()
    return HeadRows(
        rows=torch.cat(rows),
        places=torch.cat(places).index_select(0, slots).flatten(),
        shapes=shapes,
        lengths=[grid.shape[1] for grid in grids],
    )


class HeadLayouts:
    """Where the heads of queries and of keys lie, planned once for all layers of a batch.

    Args:
        asking: Row of each query in the groups, one (n, Q) a group.
        asking_slots: Place of each query in the flattened and joined grids, (R,).
        answering: The same of keys, one (n, L) a group.
        answering_slots: The same of keys, (T,); the very tensor of `asking_slots` where all tokens ask.
    """

    def __init__(
        self, asking: Sequence[Tensor], asking_slots: Tensor, answering: Sequence[Tensor], answering_slots: Tensor
    ) -> None:
        self._asking, self._answering = (asking, asking_slots), (answering, answering_slots)
        self._asks_all = asking_slots is answering_slots
        self._planned: dict[tuple[int, int], tuple[HeadRows, HeadRows]] = {}

    def of(self, num_heads: int, dtype: torch.dtype) -> tuple[HeadRows, HeadRows]:
        """Return the layouts of queries and of keys for a number of heads, in the sizes that suit a type."""
        multiple = 1 if dtype == torch.float32 else MULTIPLE
        kind = (num_heads, multiple)
        if kind not in self._planned:
            answering = head_rows(*self._answering, num_heads, multiple=multiple)
            asking = answering if self._asks_all else head_rows(*self._asking, num_heads, multiple=multiple)
            self._planned[kind] = asking, answering
        return self._planned[kind]


def attend_with_dropout(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    asking: HeadRows,
    answering: HeadRows,
    masks: Sequence[Tensor | None],
    num_heads: int,
    dropout: float,
) -> Tensor:
    """Attend inside each sequence; see `backbones.attention.attend_padded`, whose numbers these are.

    Autograd would copy queries, keys and values into the layout that products want, and back, and add the gradients
    of gathered rows into tensors of zeros: here they are gathered in that layout, and since places of padding have no
    gradient, the gradient of a gathering is a gathering.

    Args:
        query: (R, H).
        key: (T, H).
        value: (T, H).
        asking: Where the heads of queries lie.
        answering: Where those of keys and values lie.
        masks: True where a key counts, (n, 1, 1 or Q, L) a group; None where all do.
        num_heads: Heads.
        dropout: Probability of an attention weight to become 0, more than 0.

    Returns:
        (R, H).
    """
    context: Tensor = _Attend.apply(query, key, value, asking, answering, masks, num_heads, dropout)  # type: ignore[no-untyped-call]
    return context


class _Attend(torch.autograd.Function):
    """Softmax attention group by group."""

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        asking: HeadRows,
        answering: HeadRows,
        masks: Sequence[Tensor | None],
        num_heads: int,
        dropout: float,
    ) -> Tensor:
        scale = (query.shape[1] // num_heads) ** -0.5
        queries = asking.gather(query * scale, num_heads)
        keys, values = answering.gather(key, num_heads), answering.gather(value, num_heads)
        joined = query.new_empty(asking.rows.numel(), query.shape[1] // num_heads)
        saved: list[Tensor] = []
        parts = zip(queries, keys, values, masks, asking.split(joined), asking.lengths, answering.lengths, strict=True)
        for q, k, v, mask, out, asked, answered in parts:
            k = k.transpose(1, 2).contiguous()  # (n * heads, D, L), as autograd would: a view can round otherwise
            scores = (q @ k)[:, :asked, :answered]  # (n * heads, own Q, own L)
            if mask is not None:
                scores.unflatten(0, (-1, num_heads)).masked_fill_(~mask, -torch.inf)
            weights = scores.softmax(-1, dtype=torch.float32).to(scores.dtype)
            kept = draw_kept(weights, dropout)
            dropped = _fill_up(weights * kept, q.shape[1], k.shape[2])
            torch.bmm(dropped, v, out=out)
            saved += [q, k, v, weights, kept, dropped]
        ctx.save_for_backward(*saved)
        ctx.asking, ctx.answering, ctx.num_heads, ctx.scale = asking, answering, num_heads, scale
        return asking.collect(joined, num_heads)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        asking, answering, num_heads, saved = ctx.asking, ctx.answering, ctx.num_heads, ctx.saved_tensors
        size = gradient.shape[1] // num_heads
        joined = gradient.new_zeros(asking.rows.numel(), size)
        joined.index_copy_(0, asking.places, gradient.reshape(-1, size))
        of_query = torch.empty_like(joined)
        of_key, of_value = (gradient.new_empty(answering.rows.numel(), size) for _ in range(2))
        parts = zip(
            *(asking.split(joined), asking.split(of_query), answering.split(of_key), answering.split(of_value)),
            *(saved[number::6] for number in range(6)),
            strict=True,
        )
        for outer, dq, dk, dv, q, k, v, weights, kept, dropped in parts:
            torch.bmm(dropped.transpose(1, 2), outer, out=dv)
            of_weights = (outer @ v.transpose(1, 2))[:, : weights.shape[1], : weights.shape[2]].mul_(kept)
            of_scores = _fill_up(_softmax_gradient(of_weights, weights), *dropped.shape[1:])
            torch.bmm(of_scores, k.transpose(1, 2), out=dq)
            dk.copy_((q.transpose(1, 2) @ of_scores).transpose(1, 2))
        return (
            asking.collect(of_query, num_heads).mul_(ctx.scale),
            *(answering.collect(laid, num_heads) for laid in (of_key, of_value)),
            *(None,) * 5,
        )


def _fill_up(weights: Tensor, queries: int, keys: int) -> Tensor:
    """Return weights (n, own Q, own L) with zeros up to (n, Q, L)."""
    return F.pad(weights, (0, keys - weights.shape[2], 0, queries - weights.shape[1]))


def _softmax_gradient(of_weights: Tensor, weights: Tensor) -> Tensor:
    """Return the gradient of the scores: in float32 inside, as PyTorch's kernels of half precision, which take longer.

    Those fall back to single elements where rows are no multiple of a vector: four times as long for 30 keys.
    """
    gradient: Tensor = torch.ops.aten._softmax_backward_data(of_weights.float(), weights.float(), -1, torch.float32)
    return gradient.to(weights.dtype)
