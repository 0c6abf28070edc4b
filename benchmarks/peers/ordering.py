"""Batches in file order or sorted by length, answers in file order."""

from collections.abc import Callable, Sequence

Texts = Sequence[tuple[str, str]]


def in_batches(answer: Callable[[Texts], Sequence[float]], texts: Texts, *, size: int, sorts: bool) -> list[float]:
    """Answer pairs batch by batch.

    Args:
        answer: Answers one batch.
        texts: The pairs.
        size: Pairs of a batch at most.
        sorts: Whether pairs of similar length, in characters, come together.

    Example:
        >>> pairs = [("abc", ""), ("a", ""), ("ab", "")]
        >>> in_batches(lambda batch: [len(first) for first, _ in batch], pairs, size=2, sorts=True)
        [3, 1, 2]
    """
    rows = list(range(len(texts)))
    if sorts:
        rows.sort(key=lambda row: len(texts[row][0]) + len(texts[row][1]))
    found = [0.0] * len(texts)
    for start in range(0, len(rows), size):
        chosen = rows[start : start + size]
        for row, value in zip(chosen, answer([texts[row] for row in chosen]), strict=True):
            found[row] = value
    return found
