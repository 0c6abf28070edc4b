"""Texts as numbers that are equal or close where the texts are: keys of equal texts, MinHash bands of similar ones."""

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

BANDS, ROWS = 8, 5  # a pair with Jaccard similarity s is a candidate with probability 1 - (1 - s^ROWS)^BANDS
MIX_FIRST, MIX_SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)  # odd: xxHash's primes

Keys = NDArray[np.uint64]


def key_texts(normalised: Sequence[str]) -> Keys:
    """Return a number for each text, equal where the texts are; another one in each process.

    Two different ones of a million texts are equal with a probability of 3e-8.
    """
    return np.fromiter(map(hash, normalised), np.int64, len(normalised)).view(np.uint64)


def join_keys(keys: Keys, *, ordered: bool) -> Keys:
    """Return a key of each example.

    Args:
        keys: Keys of its sides, (n, S).
        ordered: Whether a pair with its sides swapped is another one.

    Returns:
        (n,)
    """
    if keys.shape[1] == 1:
        return keys[:, 0]
    sides = keys if ordered else np.sort(keys, axis=1)
    joined: Keys = sides[:, 0] * MIX_FIRST + sides[:, 1] * MIX_SECOND
    return joined ^ (joined >> np.uint64(29))


def hash_words(normalised: str) -> list[int]:
    """Return a number for each word; of an empty text one."""
    return [*map(crc32, normalised.encode().split())] or [0]


def shingle(words: Sequence[Sequence[int]]) -> tuple[Keys, Keys, NDArray[np.int64]]:
    """Return the words of texts and the pairs of neighbouring words, as numbers.

    Args:
        words: Words of each text, as `hash_words` returns them.

    Returns:
        Words of all texts end to end, (T,); what each is with its next one, the last of a text with nothing, (T,);
        the start of each text, (texts,).
    """
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    ends = np.cumsum(lengths)
    single = np.fromiter((word for text in words for word in text), np.uint64, int(ends[-1]))
    following = np.roll(single, -1)
    following[ends - 1] = np.uint64(1)
    pairs = (single * MIX_FIRST) ^ (following * MIX_SECOND)
    return single * MIX_SECOND, pairs, ends - lengths


def min_hash(words: Sequence[Sequence[int]], sides: int) -> Keys:
    """Return the MinHash bands of examples, over the words and the neighbouring words of their texts.

    Args:
        words: Words of each text, as `hash_words` returns them; the sides of an example stand together.
        sides: Texts an example (S).

    Returns:
        (examples, BANDS); two examples are probably similar where a band is equal.

    Source: Broder 1997, https://doi.org/10.1109/SEQUEN.1997.666900; bands as in Leskovec, Rajaraman & Ullman, Mining of
        Massive Datasets, section 3.4
    """
    if not words:
        return np.empty((0, BANDS), np.uint64)
    single, pairs, starts = shingle(words)
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 2**64, BANDS * ROWS, dtype=np.uint64) | np.uint64(1)
    offsets = rng.integers(0, 2**64, BANDS * ROWS, dtype=np.uint64)
    bands = np.zeros((len(words) // sides, BANDS), np.uint64)
    for number, (factor, offset) in enumerate(zip(factors, offsets, strict=True)):
        hashed = np.minimum(single * factor + offset, pairs * factor + offset)
        least = np.minimum.reduceat(hashed, starts[::sides])
        band = number // ROWS
        bands[:, band] = (bands[:, band] ^ (least >> np.uint64(32))) * MIX_FIRST
    return bands
