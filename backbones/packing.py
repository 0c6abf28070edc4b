"""Sequences of different lengths end to end, without padding, and the plan that keeps attention inside each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

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


class PackedTokens(NamedTuple):
    """N sequences end to end: the linear layers see T real tokens and no padding.

    Args:
        input_ids: Token ids, (T,).
        token_type_ids: Segment of each token, 0 or 1, (T,).
        position_ids: Position of each token in its sequence, (T,).
        cu_seqlens: Start of each sequence, then T, (N+1,).
        sequence_ids: Sequence of each token, (T,).
        groups: The attention groups; every token is a query.
        slots: Place of each token in the groups' flattened and joined results, (T,).
        firsts: The first token of each sequence as the only query.
        max_length: Tokens of a sequence at most.
        num_sequences: Sequences that count; the others, behind them, only fill up a static shape.
        is_static: Whether the shapes are those of a StaticShape, few over a whole training.
    """

    input_ids: Tensor
    token_type_ids: Tensor
    position_ids: Tensor
    cu_seqlens: Tensor
    sequence_ids: Tensor
    groups: tuple[AttentionGroup, ...]
    slots: Tensor
    firsts: QueryRows
    max_length: int
    num_sequences: int
    is_static: bool = False

    def to(self, device: torch.device) -> "PackedTokens":
        """Copy everything to a device, without waiting where the memory is pinned."""
        return PackedTokens(*(_move(value, device) for value in self))

    def without_groups(self) -> "PackedTokens":
        """Leave the attention groups behind, for an attention that needs none."""
        nothing = self.slots[:0]
        firsts = self.firsts._replace(groups=(), slots=nothing)
        return self._replace(groups=(), slots=nothing, firsts=firsts)


@dataclass(frozen=True)
class StaticShape:
    """Shapes that repeat, so that a compiled or captured encoder meets few of them.

    Sequences of padding are put behind the real ones until T is a multiple of `round_tokens` and N is the same for
    every batch, also for a short last one. Each of them has 1 to `max_length` tokens, since attention kernels write no
    rows beyond the longest length that they are told, and nobody reads their results.

    Args:
        round_tokens: T is a multiple of it; half of it is wasted per batch, on average.
        num_sequences: Sequences of a full batch.
        max_length: Tokens of a sequence at most; at least 2.
    """

    round_tokens: int
    num_sequences: int
    max_length: int

    def fill(self, lengths: IntArray) -> IntArray:
        """Return the lengths of the sequences of padding.

        Args:
            lengths: Tokens of each real sequence, (N,).

        Raises:
            ValueError: If there are more sequences than `num_sequences`, or longer ones than `max_length`.

        Example:
            >>> StaticShape(round_tokens=8, num_sequences=3, max_length=5).fill(np.array([5, 2, 3])).tolist()
            [3, 3]
        """
        if lengths.size > self.num_sequences or lengths.max() > self.max_length:
            raise ValueError(
                f"{lengths.size} sequences of {lengths.max()} tokens at most "
                f"(expected {self.num_sequences} of {self.max_length} at most)"
            )
        count = self.num_sequences - lengths.size + -(-self.round_tokens // (self.max_length - 1))
        total = count + -(int(lengths.sum()) + count) % self.round_tokens
        return np.full(count, total // count) + (np.arange(count) < total % count)


def pack(
    input_ids: IntArray,
    token_type_ids: IntArray,
    lengths: IntArray,
    *,
    num_groups: int = 4,
    shape: StaticShape | None = None,
) -> PackedTokens:
    """Plan the computation of sequences that are laid end to end.

    Sequences are sorted by length only to group their attention; the packed order stays as given.

    Args:
        input_ids: Token ids of all sequences, (T,).
        token_type_ids: Segment ids, (T,).
        lengths: Tokens of each sequence, (N,), each at least 1.
        num_groups: Attention groups at most; more groups pad less and launch more. 0 for an attention without groups.
        shape: Fill the batch up to this shape, with token 0.

    Raises:
        ValueError: If the lengths do not sum to T, one is smaller than 1, the segment ids are not as many, or the
            batch does not fit into `shape`.
    """
    if lengths.size == 0 or lengths.min() < 1 or lengths.sum() != input_ids.size:
        raise ValueError(f"lengths sum to {lengths.sum()} (expected {input_ids.size} tokens, each length at least 1)")
    if token_type_ids.size != input_ids.size:
        raise ValueError(f"{token_type_ids.size} segment ids (expected one for each of {input_ids.size} tokens)")
    num_sequences, max_length = lengths.size, int(lengths.max())
    if shape is not None:
        lengths = np.concatenate([lengths, shape.fill(lengths)])
        padding = np.zeros(int(lengths.sum()) - input_ids.size, dtype=np.int64)
        input_ids, token_type_ids = (np.concatenate([values, padding]) for values in (input_ids, token_type_ids))
        max_length = min(shape.max_length, input_ids.size)
    starts = np.concatenate([[0], np.cumsum(lengths)])  # (N + 1,)
    sequence_ids = np.repeat(np.arange(lengths.size), lengths)
    groups, slots, firsts = plan_attention(starts, num_groups)
    return PackedTokens(
        input_ids=_tensor(input_ids),
        token_type_ids=_tensor(token_type_ids),
        position_ids=_tensor(np.arange(input_ids.size) - starts[sequence_ids]),
        cu_seqlens=_tensor(starts),
        sequence_ids=_tensor(sequence_ids),
        groups=groups,
        slots=slots,
        firsts=firsts,
        max_length=max_length,
        num_sequences=num_sequences,
        is_static=shape is not None,
    )


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
        AttentionGroup(_tensor(k), None if r.all() else torch.from_numpy(r)[:, None, None, :], _tensor(k))
        for k, r in zip(keys, real, strict=True)
    )
    return groups, _tensor(_slots(keys, real, int(starts[-1])))


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
        _tensor(rows),
        tuple(_tensor(query) for query in queries),
        _tensor(slots),
        cu_seqlens=_tensor(np.concatenate([[0], np.cumsum(counts)])),
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


def _tensor(array: IntArray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.int64))


def _move(value: Any, device: torch.device) -> Any:
    """Move the tensors of nested named tuples and tuples."""
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=True)
    if not isinstance(value, tuple):
        return value
    moved = [_move(part, device) for part in value]
    return type(value)(*moved) if hasattr(value, "_fields") else tuple(moved)
