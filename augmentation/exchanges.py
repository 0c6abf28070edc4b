"""Negatives that keep every word: two parts of a sentence in each other's place, where the order decides.

What may mean the same in either order is left alone: sentences that compare, join or relate both parts, lists, and
questions that are answered with yes or no.
"""

import re
from functools import cache

from augmentation.lexicon import (
    ADJECTIVE_GROUPS,
    AUXILIARIES,
    CONJUNCTIONS,
    DETERMINERS,
    GROUPS,
    NAME_GROUPS,
    NOUN_GROUPS,
    SYMMETRIC,
    THING_GROUPS,
)
from augmentation.tokens import Edit, Tokens, is_plural
from augmentation.verbs import BASES, GERUNDS, PASTS, THIRDS, TRANSITIVE

JOINTS = {"and", "or", "vs", "versus", "/", ",", "&", "-", "nor", "than", ":", ";", "(", "+"}
Span = tuple[int, int]  # from a token up to another

NOT_MOVED = frozenset("scratch time home day now start beginning z next end bottom left zero birth".split())
COMPARATIVE = re.compile(r"(better|worse|more|less|(?!her\b|other\b|number\b|power\b|never\b|computer\b)\w{2,}er)$")
ADVERBIAL = frozenset("possible online using currently easily better safe free cheap legal".split())
CONVERSIONS = frozenset("convert translate transform turn".split())
CHOOSING = frozenset("prefer preferred choose chose chosen pick buy recommend".split())
OPPOSED = frozenset("against win wins won beat who whom treaty agreement trade alliance with".split())
ASKING = frozenset("why how".split())


def swap_direction(text: str) -> Edit | None:
    """Swap A and B in "from A to B", "convert A to B", "translate A into B"."""
    tokens = Tokens.of(text)
    if _is_symmetric(tokens):
        return None
    for place in range(1, len(tokens)):
        if tokens.lower[place] != "from" and tokens.lower[place] not in CONVERSIONS:
            continue
        start, joint = place + 1, tokens.phrase_from(place + 1)
        if joint == start or tokens.lower_at(joint) not in ("to", "into") or tokens.lower_at(place - 1) == "away":
            continue
        stop = _end_of_name(tokens, joint + 1, tokens.phrase_from(joint + 1))
        if stop > joint + 1 and _fit_in_direction(tokens, (start, joint), (joint + 1, stop)):
            return tokens.exchange((start, joint), (joint + 1, stop))
    return None


def _end_of_name(tokens: Tokens, start: int, stop: int) -> int:
    """Return the end of a phrase without an adverb behind it; `start` for a name that is part of a longer phrase."""
    while stop > start + 1 and (tokens.lower[stop - 1] in ADVERBIAL or tokens.lower[stop - 1].endswith("ly")):
        stop -= 1
    begins_with_name = start < stop and tokens.words[start][0].isupper()
    return start if begins_with_name and any(word[0].islower() for word in tokens.words[start:stop]) else stop


def _fit_in_direction(tokens: Tokens, one: Span, other: Span) -> bool:
    parts = {*tokens.lower[slice(*one)], *tokens.lower[slice(*other)]}
    first, second = tokens.lower[one[0]], tokens.lower[other[0]]
    if parts & NOT_MOVED or any(word[0].isdigit() for word in parts) or second in BASES or first.endswith("ing"):
        return False
    if tokens.lower_at(other[1]) in ("and", "or", "/", ",", "one", "ones", "-", "("):
        return False
    return _have_like_articles(tokens, one, other)


def _have_like_articles(tokens: Tokens, one: Span, other: Span) -> bool:
    """Whether both parts begin with a determiner, or neither does."""
    return (tokens.lower[one[0]] in DETERMINERS) == (tokens.lower[other[0]] in DETERMINERS)


def swap_comparison(text: str) -> Edit | None:
    """Swap A and B in "why is A better than B", "use A instead of B", "prefer A over B"."""
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
    if tokens.lower[place : place + 2] in (("instead", "of"), ("rather", "than")):
        return 2
    return int(tokens.lower[place] == "over" and not CHOOSING.isdisjoint(tokens.lower[:place]))


def _swap_around_joint(tokens: Tokens, first: int, second: int) -> Edit | None:
    start, stop = tokens.phrase_to(first), _end_of_name(tokens, second, tokens.phrase_from(second))
    verbs = [place for place in range(start, first) if _is_verb(tokens.lower[place])]
    start = verbs[-1] + 1 if verbs else start
    if start >= first or stop == second or not _is_verb(tokens.lower_at(start - 1)):
        return None
    parts = {*tokens.lower[start:first], *tokens.lower[second:stop]}
    if parts & {"others", "front", "them"} or any(word.endswith("ing") for word in tokens.lower[second:stop]) or tokens.lower_at(stop) in ("or", "and"):
        return None
    return tokens.exchange((start, first), (second, stop))


def _is_verb(word: str) -> bool:
    return word in BASES or word in PASTS or word in GERUNDS or word in THIRDS or word in ("using", "having")


def _swap_around_than(tokens: Tokens, than: int) -> Edit | None:
    if tokens.lower_at(0) not in ASKING or tokens.lower_at(1) not in AUXILIARIES:
        return None
    start, stop = 2, tokens.phrase_from(than + 1)
    if not any(COMPARATIVE.match(word) for word in tokens.lower[start:than]) or tokens.lower_at(than + 1) == "other":
        return None
    joint = tokens.phrase_from(start)
    inside = [place for place in range(start, joint) if tokens.lower[place] in BASES or COMPARATIVE.match(tokens.lower[place])]
    joint = inside[0] if inside else joint
    if not inside and tokens.lower[1] not in ("is", "are", "was", "were"):
        return None
    if joint == start or stop == than + 1 or is_plural(tokens.cut(start, joint)) != is_plural(tokens.cut(than + 1, stop)):
        return None
    parts = {*tokens.lower[start:joint], *tokens.lower[than + 1 : stop], tokens.lower_at(stop)}
    if parts & {"people", "others", "other", "one", "ones", "and", "or", "average", "normal", "usual", "ever"}:
        return None
    if not _have_like_articles(tokens, (start, joint), (than + 1, stop)):
        return None
    if any(word[0].isdigit() for word in tokens.lower[than + 1 : stop]):
        return None
    return tokens.exchange((start, joint), (than + 1, stop))


@cache
def _group_pattern(names: tuple[str, ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    groups = {member: name for name in names for member in GROUPS[name].split("|")}
    longest_first = sorted(groups, key=lambda member: (-len(member), member))
    return re.compile(rf"(?<![\w.'’-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w#+-]|\.\w)"), groups


def swap_names(text: str) -> Edit | None:
    """Swap two names of one sort: countries, cities, companies, people."""
    found = _find_two(text, NAME_GROUPS)
    if found is None:
        return None
    tokens, one, other = found
    if not {"against", "win", "wins", "won", "treaty", "agreement", "trade", "alliance"}.isdisjoint(tokens.lower):
        return None
    places = (one[0] - 1, one[1], other[0] - 1, other[1])
    if any(0 < place < len(tokens) and tokens.is_name(place) for place in places):
        return None  # part of a longer name
    return tokens.exchange(one, other)


def swap_roles(text: str) -> Edit | None:
    """Swap who does something with whom it is done to, or two adjectives or things of one sort on different places."""
    return _swap_subject_and_object(text) or _swap_people(text) or _swap_adjectives(text)


def _swap_people(text: str) -> Edit | None:
    found = _find_two(text, NOUN_GROUPS + THING_GROUPS)
    if found is None:
        return None
    tokens, one, other = found
    if any(tokens.is_content(span[1]) and tokens.lower_at(span[1]) not in BASES for span in (one, other)):
        return None  # part of a longer noun
    return tokens.exchange(one, other)


def _swap_adjectives(text: str) -> Edit | None:
    found = _find_two(text, ADJECTIVE_GROUPS)
    if found is None:
        return None
    tokens, one, other = found
    nouns = [tokens.lower_at(span[1]) for span in (one, other)]
    are_before_nouns = all(tokens.is_content(span[1]) for span in (one, other))
    if not are_before_nouns or nouns[0] == nouns[1] or nouns[0].rstrip("s") == nouns[1].rstrip("s"):
        return None
    return tokens.exchange(one, other)


def _find_two(text: str, names: tuple[str, ...]) -> tuple[Tokens, Span, Span] | None:
    """Find the only two members of groups in a text, of one group and not in a list."""
    tokens = Tokens.of(text)
    if _is_symmetric(tokens) or tokens.lower_at(0) in AUXILIARIES:
        return None
    pattern, groups = _group_pattern(names)
    found = [*pattern.finditer(text)]
    if len(found) != 2 or groups[found[0].group()] != groups[found[1].group()]:
        return None
    between = Tokens.of(text[found[0].end() : found[1].start()]).lower
    if not any(word[0].isalnum() for word in between) or JOINTS & {*between}:
        return None
    starts, stops = zip(*tokens.places, strict=True)
    if any(each.start() not in starts or each.end() not in stops for each in found):
        return None  # inside of a word
    one, other = ((starts.index(each.start()), stops.index(each.end()) + 1) for each in found)
    return tokens, one, other


def _swap_subject_and_object(text: str) -> Edit | None:
    """Swap A and B in "why did A attack B?" and "A dog is chasing a cat"."""
    frame = find_transitive(Tokens.of(text))
    if frame is None:
        return None
    tokens, subject, verb, thing = frame
    if _is_symmetric(tokens) or is_plural(tokens.cut(*subject)) != is_plural(tokens.cut(*thing)):
        return None
    if tokens.lower[verb[1] - 1] in ("get", "keep", "make", "take", "need", "become"):
        return None
    if not _have_like_articles(tokens, subject, thing) or not (can_act(tokens, subject) and can_act(tokens, thing)):
        return None
    return tokens.exchange(subject, thing)


@cache
def _acting() -> frozenset[str]:
    return frozenset(member for name in NOUN_GROUPS for member in GROUPS[name].split("|"))


def can_act(tokens: Tokens, span: Span) -> bool:
    """Whether a part of a sentence is a name, or ends with a word for people or animals."""
    return all(tokens.is_name(place) for place in range(*span)) or tokens.lower[span[1] - 1] in _acting()


def find_transitive(tokens: Tokens) -> tuple[Tokens, Span, Span, Span] | None:
    """Find subject, verb and object of "why did A attack B ...?" or "A dog is chasing a cat".

    Returns:
        The tokens, then the places of subject, verb and object; None where the sentence is of another form.
    """
    question = tokens.lower_at(0) in ("why", "how", "when", "where") and tokens.lower_at(1) in ("do", "does", "did")
    if question:
        start, stop = 2, tokens.phrase_from(2)
        verbs = [place for place in range(start + 1, stop) if tokens.lower[place] in TRANSITIVE]
        if not verbs:
            return None
        verb = (verbs[0], verbs[0] + 1)
    else:
        start, joint = 0, tokens.phrase_from(0)
        if tokens.lower_at(0) not in DETERMINERS or tokens.lower_at(joint) not in ("is", "are"):
            return None
        if tokens.lower_at(joint + 1) not in GERUNDS:
            return None
        verb = (joint, joint + 2)
    subject, begin = (start, verb[0]), verb[1]
    end = tokens.phrase_from(begin)
    after = tokens.lower_at(end)
    if end == begin or after in CONJUNCTIONS or after in ("of", "to", "'", ",", "from", "like", "more", "than"):
        return None
    if subject[1] == subject[0] or {*tokens.lower[subject[0] : end]} & {"people", "one"} & {*tokens.lower[begin:end]}:
        return None
    return tokens, subject, verb, (begin, end)


def _is_symmetric(tokens: Tokens) -> bool:
    return not SYMMETRIC.isdisjoint(tokens.lower) or tokens.lower[:2] in (("how", "long"), ("how", "many"), ("how", "much"))
