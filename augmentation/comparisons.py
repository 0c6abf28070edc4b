"""Comparisons: A better than B is not B better than A, and A instead of B not B instead of A."""

import re

from augmentation.directions import end_of_name
from augmentation.groups import ADJECTIVE_GROUPS, members
from augmentation.lexicon import AUXILIARIES, DETERMINERS, PREPOSITIONS, listed
from augmentation.tokens import Edit, Tokens, is_plural
from augmentation.verbs import BASES, is_verb

COMPARATIVE = re.compile(
    r"(better|worse|more|less|(?!her\b|other\b|number\b|power\b|never\b|computer\b|minister\b|paper\b|water\b|user\b|player\b)\w{2,}er)$"
)
CHOOSING = listed("prefer preferred choose chose chosen pick buy recommend")
ADJECTIVES = frozenset(members(*ADJECTIVE_GROUPS))
NO_SIDES = listed("others other people one ones and or average normal usual ever")


def swap_comparison(text: str) -> Edit | None:
    """Swap A and B in "why is A better than B", "use A instead of B", "prefer A over B"; not in a yes/no question."""
    tokens = Tokens.of(text)
    if tokens.lower_at(0) in AUXILIARIES:
        return None
    joints = [(place, width) for place in range(2, len(tokens)) if (width := _width_of_joint(tokens, place))]
    if joints:
        place, width = joints[0]
        return _swap_around_joint(tokens, place, place + width)
    than = next((place for place, word in enumerate(tokens.lower) if word == "than"), None)
    return None if than is None else _swap_around_than(tokens, than)


def _width_of_joint(tokens: Tokens, place: int) -> int:
    """Return how many tokens "instead of", "rather than" or "over" has at a place; 0 where it is not there."""
    if tokens.lower[place : place + 2] in (("instead", "of"), ("rather", "than")):
        return 2
    return int(tokens.lower[place] == "over" and not CHOOSING.isdisjoint(tokens.lower[:place]))


def _swap_around_joint(tokens: Tokens, first: int, second: int) -> Edit | None:
    start, stop = tokens.phrase_to(first), end_of_name(tokens, second, tokens.phrase_from(second))
    verbs = [place for place in range(start, first) if is_verb(tokens.lower[place])]
    start = verbs[-1] + 1 if verbs else start
    before = tokens.lower_at(start - 1)
    if start >= first or stop == second or not is_verb(before) or before == "be":
        return None
    if tokens.lower[first] == "over" and before not in CHOOSING:
        return None
    parts = {*tokens.lower[start:first], *tokens.lower[second:stop]}
    if tokens.lower[second] in BASES or parts & {"others", "front", "them"} or any(_is_gerund(word) for word in parts):
        return None
    if not tokens.have_like_articles((start, first), (second, stop)) or tokens.lower_at(stop) in ("or", "and"):
        return None
    if first - start > 1 and tokens.lower[first - 1] in ADJECTIVES:
        return None  # said of what stands before it, as in "make the walls white instead of black"
    return tokens.exchange((start, first), (second, stop))


def _is_gerund(word: str) -> bool:
    return word.endswith("ing")


def _swap_around_than(tokens: Tokens, than: int) -> Edit | None:
    if tokens.lower_at(0) not in ("why", "how") or tokens.lower_at(1) not in AUXILIARIES:
        return None
    start, joint = 2, tokens.phrase_from(2)
    second, stop = than + 1, end_of_name(tokens, than + 1, tokens.phrase_from(than + 1))
    found = [place for place in range(start + 1, than) if COMPARATIVE.match(tokens.lower[place])]
    if not found:
        return None
    noun = start + 1 + (tokens.lower_at(start) in DETERMINERS)
    inside = [place for place in range(noun, joint) if tokens.lower[place] in BASES or place in found]
    if not inside and tokens.lower[1] not in ("is", "are", "was", "were"):
        return None
    joint = inside[0] if inside else joint
    between = tokens.lower[joint:than]
    if joint == start or tokens.lower[joint - 1].endswith("ed") or stop == second:
        return None
    if not PREPOSITIONS.isdisjoint(between) or "or" in tokens.lower[start:than]:
        return None
    parts = {*tokens.lower[start:joint], *tokens.lower[second:stop], tokens.lower_at(stop)}
    if parts & NO_SIDES or any(word[0].isdigit() for word in tokens.lower[second:stop]):
        return None
    if is_plural(tokens.cut(start, joint)) != is_plural(tokens.cut(second, stop)):
        return None
    same = tokens.have_like_articles((start, joint), (second, stop))
    return tokens.exchange((start, joint), (second, stop)) if same else None
