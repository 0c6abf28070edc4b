"""The plan that keeps attention inside each of the packed sequences: which are computed together."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

IntArray = NDArray[np.int64]


class AttentionGroup(NamedTuple):
    """Sequences of similar length whose attention is computed together.

    Args:
        keys: Row of each token among the T packed ones, (n, L); short sequences repeat their last token.
        mask: True where a key is a real token, (n, 1, 1, L); None where all are.
        queries: Index of each wanted query among the R query rows, (n, Q); short sequences repeat their last query.
    """

    keys: Tensor
    mask: Tensor | None
    queries: Tensor


class QueryRows(NamedTuple):
    """The tokens whose last-layer state is wanted, grouped as the attention is.

    Args:
        rows: Row of each wanted token among the T packed ones, (R,).
        groups: Index of each wanted token among `rows`, one (n, Q) for each attention group.
        slots: Place of each wanted token in the groups' flattened and joined results, (R,).
        cu_seqlens: Start of each sequence's wanted tokens among `rows`, then R, (N+1,).
        max_length: Wanted tokens of a sequence at most.
    """

    rows: Tensor
    groups: tuple[Tensor, ...]
    slots: Tensor
    cu_seqlens: Tensor
    max_length: int


def plan_attention(starts: IntArray, num_groups: int) -> tuple[tuple[AttentionGroup, ...], Tensor, QueryRows]:
    """Plan which sequences attend together.

    Args:
        starts: Start of each sequence, then T, (N+1,).
        num_groups: As for `pack`.

    Returns:
        `groups`, `slots` and `firsts` of PackedTokens.
    """
    lengths = np.diff(starts)
    numbers = group_by_length(lengths, num_groups)
    groups, slots = plan_keys(starts, numbers)
    return groups, slots, plan_queries(starts[:-1], np.ones_like(lengths), numbers)


def plan_keys(starts: IntArray, numbers: Sequence[IntArray]) -> tuple[tuple[AttentionGroup, ...], Tensor]:
    """Plan which rows the sequences of each group have.

    Args:
        starts: Start of each sequence, then T, (N+1,).
        numbers: Sequence numbers of each group, every sequence in one of them.

    Returns:
        `groups` and `slots` of PackedTokens.
    """
    lengths = np.diff(starts)
    keys = [_grid(starts[:-1][group], lengths[group]) for group in numbers]
    real = [_real(lengths[group]) for group in numbers]
    groups = tuple(
        AttentionGroup(as_tensor(k), None if r.all() else torch.from_numpy(r)[:, None, None, :], as_tensor(k))
        for k, r in zip(keys, real, strict=True)
    )
    return groups, as_tensor(_slots(keys, real, int(starts[-1])))


def group_by_length(lengths: IntArray, num_groups: int) -> list[IntArray]:
    """Split sequence numbers, sorted by length, into at most `num_groups` groups of equal count."""
    if num_groups == 0:
        return []
    order = np.argsort(lengths, kind="stable")
    return [group for group in np.array_split(order, num_groups) if group.size]


def group_by_cost(lengths: IntArray, *, cost_of_group: int) -> list[IntArray]:
    """Split sequence numbers, sorted by length, into the groups that cost the least.

    Args:
        lengths: Tokens of each sequence, (N,), at least one.
        cost_of_group: What a group costs beside its padded tokens, in tokens.

    Example:
        >>> [group.tolist() for group in group_by_cost(np.array([9, 2, 10, 2, 3]), cost_of_group=3)]
        [[1, 3, 4], [0, 2]]
    """
    order = np.argsort(lengths, kind="stable")
    rising = lengths[order]
    least, cuts = np.zeros(lengths.size + 1), np.zeros(lengths.size, dtype=np.int64)  # of the first sequences
    for stop in range(1, lengths.size + 1):
        costs = least[:stop] + (stop - np.arange(stop)) * rising[stop - 1] + cost_of_group
        cuts[stop - 1] = costs.argmin()
        least[stop] = costs.min()
    groups, stop = [], lengths.size
    while stop:
        groups.append(order[cuts[stop - 1] : stop])
        stop = int(cuts[stop - 1])
    return groups[::-1]


def plan_queries(rows: IntArray, counts: IntArray, groups: Sequence[IntArray]) -> QueryRows:
    """Plan the last layer for some tokens only.

    Args:
        rows: Wanted rows among the packed tokens, sequence after sequence, (R,).
        counts: Wanted rows of each sequence, (N,); may be 0.
        groups: Sequence numbers of each attention group (see `group_by_length`).

    Raises:
        ValueError: If the counts do not sum to R.
    """
    if counts.sum() != rows.size:
        raise ValueError(f"counts sum to {counts.sum()} (expected {rows.size} wanted rows)")
    starts = np.minimum(np.cumsum(counts) - counts, max(0, rows.size - 1))  # without wanted rows, ask any one
    queries = [_grid(starts[group], counts[group]) for group in groups]
    slots = _slots(queries, [_real(counts[group]) for group in groups], rows.size)
    return QueryRows(
        as_tensor(rows),
        tuple(as_tensor(query) for query in queries),
        as_tensor(slots),
        cu_seqlens=as_tensor(np.concatenate([[0], np.cumsum(counts)])),
        max_length=int(counts.max()),
    )


def _grid(starts: IntArray, lengths: IntArray) -> IntArray:
    """Rows start, start + 1, ... of each length, padded with the last one (or `start` if there is no row), (n, L)."""
    steps = np.minimum(np.arange(lengths.max()), np.maximum(lengths, 1)[:, None] - 1)
    grid: IntArray = starts[:, None] + steps  # (n, L)
    return grid


def _real(lengths: IntArray) -> NDArray[np.bool_]:
    real: NDArray[np.bool_] = np.arange(lengths.max()) < lengths[:, None]  # (n, L)
    return real


def _slots(grids: Sequence[IntArray], real: Sequence[NDArray[np.bool_]], size: int) -> IntArray:
    if not grids:
        return np.empty(0, dtype=np.int64)
    slots = np.empty(size, dtype=np.int64)
    offset = 0
    for grid, mask in zip(grids, real, strict=True):
        slots[grid[mask]] = offset + np.flatnonzero(mask)
        offset += grid.size
    return slots


def as_tensor(array: IntArray) -> Tensor:
    """Return whole numbers as a tensor."""
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.int64))
