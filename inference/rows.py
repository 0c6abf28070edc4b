"""Texts into tokens, and tokens into batches without padding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from backbones import PackedTokens, pack
from datamodules.encoding import encode
from datamodules.evaluation import cut_by_tokens
from datamodules.pairs import BERT, PairTemplate, lay_out, with_swapped
from tasks import Encoding, InputError

TEXTS_AT_ONCE = 4096  # whose tokens are there as Python lists


@dataclass(frozen=True)
class EncodedRows:
    """Tokenised texts.

    Args:
        tokens: Token ids of each example's sequences, one after the other, [rows].
        first_lengths: Tokens of the first part of each example (see `EncodedTexts`), (rows,).
        encoding: What an example's sequences are.
        template: The special tokens of a pair.
        num_cut: Examples of which tokens were cut.
    """

    tokens: Sequence[NDArray[np.int32]]
    first_lengths: NDArray[np.int64]
    encoding: Encoding
    template: PairTemplate = BERT
    num_cut: int = 0

    def cut(self, tokens_per_batch: int) -> list[NDArray[np.int64]]:
        """Return the row numbers of batches of similar length, shortest first; see `cut_by_tokens`."""
        return cut_by_tokens(np.array([row.size for row in self.tokens]), tokens_per_batch)

    def join(self, rows: NDArray[np.int64], *, both_orders: bool = False) -> PackedTokens:
        """Join some rows end to end.

        Args:
            rows: Row numbers, (B,).
            both_orders: Whether each pair is there in both orders, the swapped ones behind the others.
        """
        tokens, firsts = [self.tokens[row] for row in rows], self.first_lengths[rows]
        if both_orders:
            tokens, firsts = with_swapped(tokens, firsts, self.encoding, self.template)
        return pack(*lay_out(tokens, firsts, self.encoding, self.template))


def encode_rows(
    texts: Sequence[tuple[str, ...]], encoding: Encoding, *, tokenizer: PreTrainedTokenizerFast, max_length: int
) -> EncodedRows:
    """Tokenise examples; the arguments are those of `encode`."""
    tokens, firsts, num_cut = [], [], 0
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        chunk = texts[start : start + TEXTS_AT_ONCE]
        for row in encode(chunk, encoding=encoding, tokenizer=tokenizer, max_length=max_length):
            tokens.append(np.array(row.input_ids, dtype=np.int32))
            firsts.append(row.first_length)
            num_cut += row.cut
    return EncodedRows(tokens, np.array(firsts, dtype=np.int64), encoding, PairTemplate.of(tokenizer), num_cut)


def check_texts(texts: Sequence[str] | Sequence[tuple[str, str]], num_texts: int) -> list[tuple[str, ...]]:
    """Return each example's texts as a tuple.

    Args:
        texts: Sentences, or pairs of them.
        num_texts: Texts of an example: 1 or 2.

    Raises:
        InputError: If an example is something else, or a text is empty.

    Example:
        >>> check_texts(["a", "b"], 1), check_texts([("a", "b")], 2)
        ([('a',), ('b',)], [('a', 'b')])
    """
    if isinstance(texts, str):
        raise InputError(f"texts is one string, {texts[:40]!r} (expected a list)")
    if isinstance(texts, Mapping):
        raise InputError(f"texts is a {type(texts).__name__} (expected a list)")
    rows = [_as_tuple(row) for row in texts]
    expected = "a string" if num_texts == 1 else "a pair of strings"
    for number, row in enumerate(rows):
        if len(row) != num_texts or not all(isinstance(text, str) for text in row):
            raise InputError(f"texts[{number}] is {str(texts[number])[:40]!r} (expected {expected})")
        if not all(text.strip() for text in row):
            raise InputError(f"texts[{number}] is {row} (expected text, but it is empty)")
    return rows


def _as_tuple(row: object) -> tuple[Any, ...]:
    """Return the texts of an example; nothing where it has no order of texts, such as a dictionary's keys."""
    if isinstance(row, str):
        return (row,)
    return tuple(row) if isinstance(row, Sequence | np.ndarray) else ()
