"""The sides of tokenised pairs: which to swap, how to swap them, and what a pair's sequences are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from tasks import Encoding

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

IntArray = NDArray[np.int64]
Tokens = NDArray[np.int32]


class PairTemplate(NamedTuple):
    """The special tokens of a pair, of which BERT has one each: `[CLS] a [SEP] b [SEP]`.

    Args:
        before: Tokens before the first text.
        between: Tokens between the texts, which belong to the first part: `</s></s>` are two.
        after: Tokens behind the second text.
        second_segment: Segment of the second text; 0 for families that do not mark it.
    """

    before: int = 1
    between: int = 1
    after: int = 1
    second_segment: int = 1

    @classmethod
    def of(cls, tokenizer: "PreTrainedTokenizerFast") -> "PairTemplate":
        """Return that of a tokenizer.

        Raises:
            ValueError: If a text alone does not stand between the tokens that a pair stands between.
        """
        pair, alone = tokenizer(["a"], ["b"]).encodings[0], tokenizer(["a"]).encodings[0]
        sides, size = pair.sequence_ids, len(pair.ids)
        first, second = sides.index(0), sides.index(1)
        last, end = size - sides[::-1].index(0), size - sides[::-1].index(1)
        if alone.ids != pair.ids[:last] + pair.ids[end:]:
            raise ValueError(
                f"the tokenizer makes {' '.join(alone.tokens)} of a text and {' '.join(pair.tokens)} of a pair "
                "(expected the same tokens at both ends)"
            )
        marks = "token_type_ids" in tokenizer.model_input_names
        return cls(first, second - last, size - end, pair.type_ids[second] if marks else 0)

    def end_of_first(self, sides: Sequence[int | None]) -> int:
        """Return where the second text of an encoded pair begins; nothing of it may be left.

        Args:
            sides: Number of the text of each token, None for special tokens.
        """
        return sides.index(1) if 1 in sides else len(sides) - self.after


BERT = PairTemplate()


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


def swap_sides(
    tokens: Tokens, first_length: int, encoding: Encoding, template: PairTemplate = BERT
) -> tuple[Tokens, int]:
    """Put the second side of a pair before the first.

    Args:
        tokens: `[CLS] a [SEP] b [SEP]` for cross, `[CLS] a [SEP] [CLS] b [SEP]` for bi.
        first_length: Tokens before the second text, or of the first sequence.
        encoding: Of the pair.
        template: The special tokens of a pair.

    Returns:
        `[CLS] b [SEP] a [SEP]` or `[CLS] b [SEP] [CLS] a [SEP]`, and the tokens up to its first [SEP].
    """
    if encoding == "bi":
        return np.concatenate([tokens[first_length:], tokens[:first_length]]), tokens.size - first_length
    before, between, after = template[:3]
    first, second = tokens[before : first_length - between], tokens[first_length : tokens.size - after]
    middle = tokens[first_length - between : first_length]
    swapped = np.concatenate([tokens[:before], second, middle, first, tokens[tokens.size - after :]])
    return swapped, before + second.size + between


def with_swapped(
    tokens: Sequence[Tokens], first_lengths: IntArray, encoding: Encoding, template: PairTemplate = BERT
) -> tuple[list[Tokens], IntArray]:
    """Put the swapped pairs behind the pairs, for an average over both orders; the arguments are those of `lay_out`."""
    swapped = [swap_sides(*pair, encoding, template) for pair in zip(tokens, first_lengths.tolist(), strict=True)]
    return [*tokens, *(pair for pair, _ in swapped)], np.concatenate([first_lengths, [first for _, first in swapped]])


def sequence_lengths(
    lengths: IntArray, first_lengths: IntArray, encoding: Encoding, template: PairTemplate = BERT
) -> IntArray:
    """Return the tokens of each sequence that `lay_out` makes of some examples, (B, S).

    Args:
        lengths: Tokens of each example, as the store keeps them, (B,).
        first_lengths: Tokens of the first part of each example, (B,).
        encoding: What an example's sequences are.
        template: The special tokens of a pair.

    Example:
        >>> sequence_lengths(np.array([9]), np.array([5]), "bi").tolist()
        [[5, 4]]
    """
    if encoding == "bi":
        return np.stack([first_lengths, lengths - first_lengths], axis=1)
    return lengths[:, None]


def lay_out(
    tokens: Sequence[Tokens], first_lengths: IntArray, encoding: Encoding, template: PairTemplate = BERT
) -> Sequences:
    """Join the sequences of some examples, example by example.

    Args:
        tokens: Of each example, as the store keeps them, [B].
        first_lengths: Tokens of the first part of each example, (B,).
        encoding: What an example's sequences are.
        template: The special tokens of a pair.
    """
    totals = np.array([part.size for part in tokens], dtype=np.int64)
    input_ids = np.concatenate(tokens).astype(np.int64)
    if encoding == "single":
        return Sequences(input_ids, np.zeros_like(input_ids), totals)
    if encoding == "bi":
        return Sequences(
            input_ids, np.zeros_like(input_ids), np.stack([first_lengths, totals - first_lengths], axis=1).ravel()
        )
    return Sequences(input_ids, segment_ids(totals, first_lengths, template), totals)


def segment_ids(totals: IntArray, firsts: IntArray, template: PairTemplate = BERT) -> IntArray:
    """Segment ids of joined pairs, (T,): 0 for `[CLS] a [SEP]`, the second one for `b [SEP]`.

    Args:
        totals: Tokens of each pair, (N,).
        firsts: Those before its second text, (N,).
        template: Tells what the second segment is.
    """
    counts = np.stack([firsts, totals - firsts], axis=1).ravel()
    return np.repeat(np.tile(np.array([0, template.second_segment]), totals.size), counts)
