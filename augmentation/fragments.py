"""Parts of texts that can stand alone: texts without a label, for a teacher to answer."""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from augmentation.lexicon import CONJUNCTIONS

LONGEST = 3  # neighbouring pieces of a fragment
FEWEST_WORDS = 3
_CONJUNCTIONS = rf"(?:(?:{'|'.join(sorted(CONJUNCTIONS))})\s+)"
_MARKS = r"(?:[,;:.!?…]+(?=\s|$)|[()\[\]]|\s-\s|--+|[–—])"  # not those inside of 1,000 or 3.5
CUT = re.compile(rf"\s*{_MARKS}\s*{_CONJUNCTIONS}*|(?:^|\s+){_CONJUNCTIONS}+", re.IGNORECASE)


def cut_fragments(text: str) -> list[str]:
    """Return one to three neighbouring pieces of a text, each cut at marks and conjunctions.

    A fragment has three words at least and is not the whole text.

    Args:
        text: A sentence or several; without English conjunctions it is cut at marks alone.

    Example:
        >>> cut_fragments("A gorgeous , witty film but it runs far too long .")
        ['A gorgeous , witty film', 'witty film but it runs far too long', 'it runs far too long']
    """
    text = text.strip()
    cuts = [(0, 0), *(found.span() for found in CUT.finditer(text)), (len(text), len(text))]
    pieces = [(end, start) for (_, end), (start, _) in pairwise(cuts) if end < start]
    spans = [(start, stop) for place, (start, _) in enumerate(pieces) for _, stop in pieces[place : place + LONGEST]]
    whole = pieces and (pieces[0][0], pieces[-1][1])
    fragments = [text[start:stop] for start, stop in spans if (start, stop) != whole]
    return [fragment for fragment in fragments if _count_words(fragment) >= FEWEST_WORDS]


def _count_words(text: str) -> int:
    return sum(any(letter.isalnum() for letter in part) for part in text.split())


def draw_fragments(texts: Sequence[str], count: int, *, seed: int) -> list[str]:
    """Return fragments of texts, drawn at random, none of them twice and none of them a text, in any case.

    Args:
        texts: The texts.
        count: How many to draw; fewer where the texts do not give as many.
        seed: Seed of the draw.
    """
    known = {text.strip().casefold() for text in texts}
    found = {fragment.casefold(): fragment for text in texts for fragment in cut_fragments(text)}
    candidates = [fragment for folded, fragment in found.items() if folded not in known]
    order = np.random.default_rng(seed).permutation(len(candidates))
    return [candidates[place] for place in order[:count]]
