"""The words of a text, and the share of them that two texts have in common."""

import re

from tasks.normalising import UNSPACED

LETTERS = rf"[^\W{UNSPACED}]+"
WORD = re.compile(rf"[{UNSPACED}]|{LETTERS}(?:['’]{LETTERS})*(?:\+\+|#)?")


def words(text: str) -> frozenset[str]:
    """Return the words of a text in lower case.

    Example:
        >>> sorted(words("It isn't THE end of C++, is it?"))
        ['c++', 'end', 'is', "isn't", 'it', 'of', 'the']
    """
    return frozenset(WORD.findall(text.lower()))


def overlap(first: str, second: str) -> float:
    """Return the share of the words of two texts that both contain (Jaccard index), in [0, 1].

    Example:
        >>> overlap("How do I learn chess?", "how do you learn Go")
        0.42857142857142855
    """
    one, other = words(first), words(second)
    return len(one & other) / len(one | other) if one | other else 1.0
