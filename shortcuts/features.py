"""Features of texts that know nothing of meaning: how much two texts overlap, and which words a text has.

No feature looks at the order of words: what a shortcut model of them explains, word order does not.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import fsum, log

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import HashingVectorizer

from shortcuts.words import words

WIDTH = 2**14  # features of a bag of words

Pair = tuple[str, ...]  # two texts


class Rarity:
    """How rare words are: the inverse document frequency, log((1 + texts) / (1 + texts with the word)).

    Args:
        texts: The texts that are counted.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._total = 0
        self._counts: Counter[str] = Counter()
        for text in texts:
            self._total += 1
            self._counts.update(words(text))

    def __call__(self, word: str) -> float:
        """Return the rarity of a word, above 0 but for one in every text."""
        return log((1 + self._total) / (1 + self._counts[word]))


def overlap_features(pairs: Sequence[Pair], rarity: Rarity) -> NDArray[np.float64]:
    """Return how much the two texts of each pair overlap.

    Args:
        pairs: The pairs.
        rarity: How rare words are.

    Returns:
        Share of the words of both, of the first and of the second that are shared; the same share of both with each
        word weighted by its rarity; the rarest shared word; |log ratio| of the numbers of words; (n, 6).

    Source: the features of known shortcut models, all symmetric or per side: Clark et al. 2019,
        https://aclanthology.org/D19-1418; He et al. 2019, https://aclanthology.org/D19-6115
    """
    return np.array([_compare(words(first), words(second), rarity) for first, second in pairs]).reshape(-1, 6)


def _compare(first: frozenset[str], second: frozenset[str], rarity: Rarity) -> tuple[float, ...]:
    shared, both = first & second, first | second
    weights = [rarity(word) for word in shared]
    weight = fsum(map(rarity, both))  # exact: a plain sum hangs on the order of the set, another one in each process
    return (
        len(shared) / len(both) if both else 1.0,
        len(shared) / len(first) if first else 1.0,
        len(shared) / len(second) if second else 1.0,
        fsum(weights) / weight if weight else 1.0,
        max(weights, default=0.0),
        abs(log((1 + len(first)) / (1 + len(second)))),
    )


def bag_of_words(texts: Sequence[str]) -> csr_array:
    """Return which words each text has, hashed, (n, WIDTH)."""
    vectorizer = HashingVectorizer(analyzer=words, n_features=WIDTH, alternate_sign=False, norm=None)
    return csr_array(vectorizer.transform(texts))
