"""Shapes of batches that repeat, for an encoder that is compiled or captured."""

from dataclasses import dataclass

import numpy as np

from backbones.attention_groups import IntArray


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
