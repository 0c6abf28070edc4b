"""Negations and numbers of a sentence, and the words that two sentences share."""

import re

from shortcuts.words import WORD, words

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
NEGATIONS = frozenset(
    ("no", "not", "never", "none", "nobody", "nothing", "nowhere", "neither", "nor", "without", "cannot", "hardly")
)

Part = tuple[str, bool]


def has_negation(text: str) -> bool:
    """Whether a text holds a negation word or a contracted not."""
    return any(word in NEGATIONS or word.replace("’", "'").endswith("n't") for word in words(text))


def numbers(text: str) -> frozenset[str]:
    """Return the numbers that a text has as digits."""
    return frozenset(NUMBER.findall(text))


def mark_shared(texts: tuple[str, ...]) -> list[list[Part]]:
    """Cut each text into parts, each with whether it is a word that all of them contain.

    A single text shares nothing.

    Example:
        >>> mark_shared(("A dog.", "a cat"))
        [[('A', True), (' dog.', False)], [('a', True), (' cat', False)]]
    """
    shared = frozenset.intersection(*map(words, texts)) if len(texts) > 1 else frozenset()
    return [_cut(text, shared) for text in texts]


def _cut(text: str, shared: frozenset[str]) -> list[Part]:
    parts: list[Part] = []
    end = 0
    for found in WORD.finditer(text):
        if found.group().lower() in shared:
            parts += [(text[end : found.start()], False), (found.group(), True)]
            end = found.end()
    return [part for part in [*parts, (text[end:], False)] if part[0]]
