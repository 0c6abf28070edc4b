"""The sides of tokenised pairs: which to swap, how to swap them, and what a pair's sequences are."""

from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from tasks import Encoding

IntArray = NDArray[np.int64]
Tokens = NDArray[np.int32]


class Sequences(NamedTuple):
    """The sequences of some examples end to end.

    Args:
        input_ids: Token ids, (T,).
        token_type_ids: Segment ids, (T,).
        lengths: Tokens of each sequence, (N,).
    """

    input_ids: IntArray
    token_type_ids: IntArray
    lengths: IntArray


def choose_swapped(rows: IntArray, *, seed: int, epoch: int, task: str) -> NDArray[np.bool_]:
    """Choose each row with probability one half, as a function of (seed, epoch, task, row) alone.

    Args:
        rows: Row numbers, (B,).
        seed: The run's seed.
        epoch: Number of the epoch.
        task: Name of the task.

    Source: the mixing function of SplitMix64, Steele et al. 2014, https://doi.org/10.1145/2660193.2660195
    """
    start = np.random.SeedSequence([seed, epoch, crc32(task.encode())]).generate_state(1, np.uint64)
    mixed = start + rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    chosen: NDArray[np.bool_] = (mixed ^ (mixed >> np.uint64(31))) >> np.uint64(63) == 1
    return chosen


def swap_sides(tokens: Tokens, first_length: int, encoding: Encoding) -> tuple[Tokens, int]:
    """Put the second side of a pair before the first.

    Args:
        tokens: `[CLS] a [SEP] b [SEP]` for cross and both, `[CLS] a [SEP] [CLS] b [SEP]` for bi.
        first_length: Tokens up to and with the first [SEP].
        encoding: Of the pair.

    Returns:
        `[CLS] b [SEP] a [SEP]` or `[CLS] b [SEP] [CLS] a [SEP]`, and the tokens up to its first [SEP].
    """
    if encoding == "bi":
        return np.concatenate([tokens[first_length:], tokens[:first_length]]), tokens.size - first_length
    swapped = np.concatenate([tokens[:1], tokens[first_length:], tokens[1:first_length]])
    return swapped, 1 + tokens.size - first_length


def with_swapped(
    tokens: Sequence[Tokens], first_lengths: IntArray, encoding: Encoding
) -> tuple[list[Tokens], IntArray]:
    """Put the swapped pairs behind the pairs, for an average over both orders; the arguments are those of `lay_out`."""
    swapped = [swap_sides(*pair, encoding) for pair in zip(tokens, first_lengths.tolist(), strict=True)]
    return [*tokens, *(pair for pair, _ in swapped)], np.concatenate([first_lengths, [first for _, first in swapped]])


def sequence_lengths(lengths: IntArray, first_lengths: IntArray, encoding: Encoding) -> IntArray:
    """Return the tokens of each sequence that `lay_out` makes of some examples, (B, S).

    Args:
        lengths: Tokens of each example, as the store keeps them, (B,).
        first_lengths: Tokens of the first part of each example, (B,).
        encoding: What an example's sequences are.

    Example:
        >>> sequence_lengths(np.array([9]), np.array([5]), "both").tolist()
        [[9, 5, 5]]
    """
    if encoding == "bi":
        return np.stack([first_lengths, lengths - first_lengths], axis=1)
    if encoding == "both":
        return np.stack([lengths, first_lengths, lengths - first_lengths + 1], axis=1)
    return lengths[:, None]


def lay_out(tokens: Sequence[Tokens], first_lengths: IntArray, encoding: Encoding) -> Sequences:
    """Join the sequences of some examples, example by example.

    Args:
        tokens: Of each example, as the store keeps them, [B].
        first_lengths: Tokens of the first part of each example, (B,).
        encoding: What an example's sequences are; `both` gives the joined pair, then each side alone.
    """
    if encoding == "both":
        tokens = [part for pair, first in zip(tokens, first_lengths, strict=True) for part in _split(pair, first)]
    totals = np.array([part.size for part in tokens], dtype=np.int64)
    input_ids = np.concatenate(tokens).astype(np.int64)
    if encoding == "single":
        return Sequences(input_ids, np.zeros_like(input_ids), totals)
    if encoding == "bi":
        return Sequences(
            input_ids, np.zeros_like(input_ids), np.stack([first_lengths, totals - first_lengths], axis=1).ravel()
        )
    if encoding == "both":
        firsts = totals.copy()  # a side alone is all first segment
        firsts[::3] = first_lengths
        return Sequences(input_ids, _segments(totals, firsts), totals)
    return Sequences(input_ids, _segments(totals, first_lengths), totals)


def _split(pair: Tokens, first_length: int) -> tuple[Tokens, Tokens, Tokens]:
    """Return `[CLS] a [SEP] b [SEP]` as it is, `[CLS] a [SEP]` and `[CLS] b [SEP]`."""
    return pair, pair[:first_length], np.concatenate([pair[:1], pair[first_length:]])


def _segments(totals: IntArray, firsts: IntArray) -> IntArray:
    """Segment ids of cross-encoded pairs: 0 for `[CLS] a [SEP]`, 1 for `b [SEP]`."""
    counts = np.stack([firsts, totals - firsts], axis=1).ravel()
    return np.repeat(np.tile(np.array([0, 1]), totals.size), counts)
