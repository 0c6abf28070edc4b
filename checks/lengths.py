"""How long the sequences are in tokens, and what `--data.max_length` cuts."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from checks.finding import Finding
from checks.split_rows import SplitRows
from datamodules.encoding import encode

UNCUT = 10**6  # tokens
MANY = 0.01  # share of rows
CHUNK = 4096


@dataclass(frozen=True)
class Lengths:
    """Tokens of the examples of a split, special tokens included; of a pair of sequences those of the longer one.

    Args:
        median: Half of them are no longer.
        p95: 95 of 100 are no longer.
        longest: Tokens of the longest.
        cut: Rows that are longer than max_length.
        lost: Tokens that are cut off.
        tokens: Tokens before that.
        cuts_one_percent: The max_length that would cut 1 % of the rows at most.
        cuts_one_in_thousand: The max_length that would cut 0.1 % at most.
    """

    median: int
    p95: int
    longest: int
    cut: int
    lost: int
    tokens: int
    cuts_one_percent: int
    cuts_one_in_thousand: int

    def as_dict(self) -> dict[str, Any]:
        """Return them as plain data."""
        return asdict(self)


def measure_lengths(
    rows: SplitRows, tokenizer: PreTrainedTokenizerFast, max_length: int
) -> tuple[Lengths, NDArray[np.int64]]:
    """Measure a split: only rows that fill max_length are tokenised again.

    Args:
        rows: The split.
        tokenizer: Its tokenizer.
        max_length: Tokens a sequence at most.

    Returns:
        The lengths, and the rows that are cut, (k,).
    """
    whole = rows.store.lengths.copy()
    longer = longest_sequence(rows, whole, rows.store.first_lengths)
    full = np.flatnonzero(longer >= max_length)
    for start in range(0, full.size, CHUNK):
        chunk = full[start : start + CHUNK]
        encoded = encode(
            list(rows.texts.take(chunk)), encoding=rows.task.encoding, tokenizer=tokenizer, max_length=UNCUT
        )
        whole[chunk] = [len(row.input_ids) for row in encoded]
        longer[chunk] = longest_sequence(rows, whole[chunk], np.array([row.first_length for row in encoded]))
    cut = np.flatnonzero(longer > max_length)
    ordered = np.sort(longer)
    lengths = Lengths(
        median=at_share(ordered, 0.5),
        p95=at_share(ordered, 0.95),
        longest=int(ordered[-1]),
        cut=cut.size,
        lost=int((whole - rows.store.lengths).sum()),
        tokens=int(whole.sum()),
        cuts_one_percent=at_share(ordered, 0.99),
        cuts_one_in_thousand=at_share(ordered, 0.999),
    )
    return lengths, cut


def longest_sequence(rows: SplitRows, whole: NDArray[np.int64], first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the tokens of the longer sequence of each example, (n,)."""
    return np.maximum(first, whole - first) if rows.task.encoding == "bi" else whole.copy()


def at_share(ordered: NDArray[np.int64], share: float) -> int:
    """Return the smallest value that so large a share of sorted values does not exceed.

    Example:
        >>> at_share(np.arange(1, 101), 0.99), at_share(np.array([7]), 0.5)
        (99, 7)
    """
    return int(ordered[max(0, int(np.ceil(round(share * len(ordered), 6))) - 1)])


def find_cut_rows(
    rows: SplitRows, lengths: Lengths, cut: NDArray[np.int64], max_length: int, *, most: int
) -> Iterator[Finding]:
    """Find rows that lose tokens.

    Args:
        rows: The split.
        lengths: What `measure_lengths` measured.
        cut: The rows that are cut, (k,).
        max_length: Tokens a sequence at most.
        most: Tokens that the backbone has positions for.
    """
    if cut.size:
        yield rows.tell(
            cut,
            check="cut",
            level="warning" if cut.size >= MANY * len(rows) else "note",
            what=f"are cut to {max_length} tokens, {lengths.lost:,} of {lengths.tokens:,} tokens are lost",
            advice=_advise(lengths, max_length, most),
        )


def _advise(lengths: Lengths, max_length: int, most: int) -> str:
    """Name lengths that cut less, as far as the backbone allows them."""
    fewest, few = lengths.cuts_one_in_thousand, lengths.cuts_one_percent
    if fewest <= most:
        return f"--data.max_length {fewest} cuts 0.1 % of the rows, {few} cuts 1 %"
    if few <= most:
        return f"--data.max_length {few} cuts 1 % of the rows; this backbone reads {most} tokens at most"
    longest = (
        f"--data.max_length {most} is all that this backbone reads"
        if max_length < most
        else "this backbone reads no more"
    )
    return f"{longest}: shorten the texts, or take a backbone with more positions"
