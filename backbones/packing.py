"""Sequences of different lengths end to end, without padding."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from backbones.attention_groups import AttentionGroup, IntArray, QueryRows, as_tensor, plan_attention
from backbones.static_shape import StaticShape


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
        input_ids=as_tensor(input_ids),
        token_type_ids=as_tensor(token_type_ids),
        position_ids=as_tensor(np.arange(input_ids.size) - starts[sequence_ids]),
        cu_seqlens=as_tensor(starts),
        sequence_ids=as_tensor(sequence_ids),
        groups=groups,
        slots=slots,
        firsts=firsts,
        max_length=max_length,
        num_sequences=num_sequences,
        is_static=shape is not None,
    )


def _move(value: Any, device: torch.device) -> Any:
    """Move the tensors of nested named tuples and tuples."""
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=True)
    if not isinstance(value, tuple):
        return value
    moved = [_move(part, device) for part in value]
    return type(value)(*moved) if hasattr(value, "_fields") else tuple(moved)
