"""Texts beside others that share their words: pairs without a label, for a teacher to answer."""

from collections.abc import Sequence

import numpy as np
from sklearn import config_context
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import NearestNeighbors

NEAREST = 5  # texts that a text is paired with at most
MEBIBYTES = 256  # of distances at a time
COMMON = (
    0.05,
    50,
)  # share of texts, and number of them, above which a word tells too little


def draw_neighbours(pairs: Sequence[tuple[str, ...]], count: int, *, seed: int) -> list[tuple[str, str]]:
    """Return pairs of a first text and one of the five second texts nearest to it, drawn at random.

    Near are texts whose words, weighted by TF-IDF, have a large cosine. None is among the pairs, in either order, comes
    twice, or is a text beside itself, in any case.

    Args:
        pairs: The pairs whose texts are used.
        count: How many to draw; fewer where the texts do not give as many.
        seed: Seed of the draw.

    Source: the sampling by words of Augmented SBERT (there BM25), Thakur et al. 2021, https://arxiv.org/abs/2010.08240
    """
    rng = np.random.default_rng(seed)
    firsts, seconds = (list({text.casefold(): text for text in side}.values()) for side in zip(*pairs, strict=True))
    firsts = [firsts[place] for place in rng.permutation(len(firsts))[: count + count // 4 + 1]]
    texts = [*firsts, *seconds]
    most = max(round(COMMON[0] * len(texts)), COMMON[1])
    vectorizer = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w+", max_df=most, ngram_range=(1, 2))
    try:
        vectorizer.fit(texts)
    except ValueError:  # they have no words but common ones
        return []
    search = NearestNeighbors(metric="cosine", algorithm="brute").fit(vectorizer.transform(seconds))
    with config_context(working_memory=MEBIBYTES):
        nearest = search.kneighbors(vectorizer.transform(firsts), min(NEAREST, len(seconds)), return_distance=False)
    used = {_key(*pair) for pair in pairs}
    drawn: list[tuple[str, str]] = []
    for places in rng.permuted(nearest, axis=1).T:  # each first text once, then each a second time
        for first, place in zip(firsts, places, strict=True):
            if len(drawn) == count:
                return drawn
            key = _key(first, seconds[place])
            if key not in used and len({*key}) == 2:
                used.add(key)
                drawn.append((first, seconds[place]))
    return drawn


def _key(*texts: str) -> tuple[str, ...]:
    return tuple(sorted(text.casefold() for text in texts))
