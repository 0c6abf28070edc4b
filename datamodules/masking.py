"""Which tokens a masked language model has to guess."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from backbones.attention_groups import IntArray


@dataclass(frozen=True)
class Masking:
    """How tokens are masked.

    Args:
        probability: Share of the words (or tokens) to guess, in (0, 1).
        whole_words: Guess all pieces of a word or none (the paper's code) instead of single tokens (its text).
        replaced: Share of the guessed tokens that become [MASK].
        random: Share of the guessed tokens that become a random token; the rest stay.

    Raises:
        ValueError: If a share is out of range.

    Source: Devlin et al. 2019, section 3.1, https://arxiv.org/abs/1810.04805
    """

    probability: float = 0.15
    whole_words: bool = True
    replaced: float = 0.8
    random: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.probability < 1:
            raise ValueError(f"masking.probability is {self.probability} (expected more than 0 and less than 1)")
        if min(self.replaced, self.random) < 0 or self.replaced + self.random > 1:
            raise ValueError(
                f"masking.replaced is {self.replaced} and masking.random {self.random} (expected shares, together <= 1)"
            )


class TokenMasker:
    """Masks packed tokens; what happens to a row is a function of (seed, epoch, row) alone.

    Args:
        tokenizer: Tells special tokens.
        masking: How tokens are masked.
        seed: Seed of the masks.

    Raises:
        ValueError: If the tokenizer has no mask token.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, masking: Masking, *, seed: int) -> None:
        if tokenizer.mask_token_id is None:
            raise ValueError("the tokenizer has no mask token (expected one of a masked language model)")
        self._is_special = np.zeros(len(tokenizer), dtype=bool)
        self._is_special[tokenizer.all_special_ids] = True
        if tokenizer.unk_token_id is not None:
            self._is_special[tokenizer.unk_token_id] = False  # an unknown word is a word
        self._mask_id = tokenizer.mask_token_id
        self._masking = masking
        self._seed = seed

    def mask(
        self,
        input_ids: IntArray,
        lengths: IntArray,
        rows: IntArray,
        *,
        continues: NDArray[np.bool_],
        epoch: int,
    ) -> tuple[IntArray, NDArray[np.bool_]]:
        """Mask the tokens of a batch.

        Args:
            input_ids: Token ids of all rows end to end, (T,).
            lengths: Tokens of each row, (N,).
            rows: Row numbers, (N,).
            continues: Whether a token goes on with the word of the one before it, (T,).
            epoch: Number of the epoch; another epoch masks other tokens.

        Returns:
            The changed token ids (T,) and which tokens are to be guessed (T,).
        """
        draws = np.concatenate(
            [
                np.random.default_rng([self._seed, epoch, int(row)]).random((int(length), 3))
                for row, length in zip(rows, lengths, strict=True)
            ]
        )
        chosen = draws[:, 0] < self._masking.probability
        if self._masking.whole_words:
            chosen = chosen[_word_starts(continues)]
        chosen &= ~self._is_special[input_ids]
        become_mask = chosen & (draws[:, 1] < self._masking.replaced)
        become_random = chosen & ~become_mask & (draws[:, 1] < self._masking.replaced + self._masking.random)
        masked = np.where(become_mask, self._mask_id, input_ids)
        return np.where(become_random, (draws[:, 2] * self._is_special.size).astype(np.int64), masked), chosen


def _word_starts(continues: NDArray[np.bool_]) -> IntArray:
    """Return the index of each token's word start, (T,); every row begins with a start."""
    word_starts: IntArray = np.maximum.accumulate(np.where(continues, 0, np.arange(continues.size)))
    return word_starts
