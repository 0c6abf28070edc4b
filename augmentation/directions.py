"""Directions: from A to B is not from B to A."""

from augmentation.lexicon import DETERMINERS, QUESTIONS_OF_MEASURE, SYMMETRIC, listed
from augmentation.tokens import Edit, Span, Tokens
from augmentation.verbs import BASES

NOT_MOVED = listed(
    "scratch time home day now start beginning z next end bottom left zero birth smallest largest lowest highest first "
    "last beginner basics"
)
NOT_BEFORE = listed("away time (")  # as in "the flight time from"; in brackets it is a range
CONVERSIONS = listed("convert translate transform turn")
ADVERBS_BEHIND = listed("possible online using currently easily better safe free cheap legal")


def swap_direction(text: str) -> Edit | None:
    """Swap A and B in "from A to B", "convert A to B", "translate A into B"."""
    tokens = Tokens.of(text)
    if may_hold_both_ways(tokens):
        return None
    for place in range(1, len(tokens)):
        if tokens.lower[place] != "from" and tokens.lower[place] not in CONVERSIONS:
            continue
        start, joint = place + 1, tokens.phrase_from(place + 1)
        if joint == start or tokens.lower_at(joint) not in ("to", "into") or tokens.lower_at(place - 1) in NOT_BEFORE:
            continue
        if tokens.lower[place] == "from" and (tokens.lower[joint] == "into" or "world" in tokens.lower):
            continue
        stop = end_of_name(tokens, joint + 1, tokens.phrase_from(joint + 1))
        if stop > joint + 1 and _fit(tokens, (start, joint), (joint + 1, stop)):
            return tokens.exchange((start, joint), (joint + 1, stop))
    return None


def may_hold_both_ways(tokens: Tokens) -> bool:
    """Whether a text has a word in whose company an exchange may keep the meaning, or asks for a measure."""
    return not SYMMETRIC.isdisjoint(tokens.lower) or tokens.lower[:2] in QUESTIONS_OF_MEASURE


def end_of_name(tokens: Tokens, start: int, stop: int) -> int:
    """Return the end of a phrase without an adverb behind it; `start` for a name that is part of a longer phrase."""
    while stop > start + 1 and (tokens.lower[stop - 1] in ADVERBS_BEHIND or tokens.lower[stop - 1].endswith("ly")):
        stop -= 1
    if start >= stop or not tokens.words[start][0].isupper():
        return stop
    goes_on = tokens.is_word(stop) and tokens.words[stop][0].isupper() and tokens.lower[stop] != "i"
    goes_on |= tokens.lower_at(stop) == "!" and not tokens.is_end(stop)  # Yahoo! Answers
    return start if goes_on or any(word[0].islower() for word in tokens.words[start:stop]) else stop


def _fit(tokens: Tokens, one: Span, other: Span) -> bool:
    parts = {*tokens.lower[slice(*one)], *tokens.lower[slice(*other)]}
    if tokens.lower_at(other[1]) in DETERMINERS:
        return False  # a verb with its object, as in "from India to form a country"
    first, second = tokens.lower[one[0]], tokens.lower[other[0]]
    if parts & NOT_MOVED or any(word[0].isdigit() for word in parts) or second in BASES or first.endswith("ing"):
        return False
    if tokens.lower_at(other[1]) in ("and", "or", "/", ",", "one", "ones", "-", "(", "of", "get", "in"):
        return False
    return tokens.have_like_articles(one, other)
