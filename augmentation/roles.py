"""Roles and names: two words of one sort on different places of a sentence."""

import re
from functools import cache

from augmentation.directions import may_hold_both_ways
from augmentation.groups import ADJECTIVE_GROUPS, NAME_GROUPS, NOUN_GROUPS, THING_GROUPS, members
from augmentation.lexicon import AUXILIARIES, listed
from augmentation.tokens import Edit, Span, Tokens
from augmentation.transitive import find_frame, swap_subject_and_object
from augmentation.verbs import BASES

JOINTS = frozenset(("and", "or", "vs", "versus", "/", ",", "&", "-", "nor", "than", ":", ";", "(", "+"))  # of lists
RIVALS = listed("against win wins won v treaty agreement trade")


def swap_names(text: str) -> Edit | None:
    """Swap two names of one sort: countries, cities, companies, people."""
    found = _find_two(text, NAME_GROUPS)
    if found is None:
        return None
    tokens, one, other = found
    places = (one[0] - 1, one[1], other[0] - 1, other[1])
    is_part_of_name = any(0 < place < len(tokens) and tokens.is_name(place) for place in places)
    return None if is_part_of_name or not RIVALS.isdisjoint(tokens.lower) else tokens.exchange(one, other)


def swap_roles(text: str) -> Edit | None:
    """Swap who does something with whom it is done to, or two people, things or adjectives of one sort."""
    frame = find_frame(text)
    found = swap_subject_and_object(frame) if frame and not may_hold_both_ways(frame.tokens) else None
    return found or _swap_nouns(text) or _swap_adjectives(text)


def _swap_nouns(text: str) -> Edit | None:
    found = _find_two(text, NOUN_GROUPS + THING_GROUPS)
    if found is None:
        return None
    tokens, *spans = found
    if any(tokens.is_content(span[1]) and tokens.lower_at(span[1]) not in BASES for span in spans):
        return None  # part of a longer noun
    return tokens.exchange(*spans)


def _swap_adjectives(text: str) -> Edit | None:
    found = _find_two(text, ADJECTIVE_GROUPS)
    if found is None:
        return None
    tokens, *spans = found
    first, second = (tokens.lower_at(span[1]).rstrip("s") for span in spans)
    if first == second or not all(tokens.is_content(span[1]) for span in spans):
        return None
    return tokens.exchange(*spans)


@cache
def _pattern(names: tuple[str, ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    groups = members(*names)
    longest_first = sorted(groups, key=lambda member: (-len(member), member))
    return re.compile(rf"(?<![\w.'’-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w#+-]|\.\w)"), groups


def _find_two(text: str, names: tuple[str, ...]) -> tuple[Tokens, Span, Span] | None:
    """Find the only two members of some groups in a text, of one group and not in a list; not in a yes/no question."""
    tokens = Tokens.of(text)
    if may_hold_both_ways(tokens) or tokens.lower_at(0) in AUXILIARIES:
        return None
    pattern, groups = _pattern(names)
    found = [*pattern.finditer(text)]
    if len(found) != 2 or groups[found[0].group()] != groups[found[1].group()]:
        return None
    between = Tokens.of(text[found[0].end() : found[1].start()]).lower
    if not any(word[0].isalnum() for word in between) or not JOINTS.isdisjoint(between):
        return None
    starts, stops = zip(*tokens.places, strict=True)
    if any(each.start() not in starts or each.end() not in stops for each in found):
        return None  # inside of a word
    one, other = ((starts.index(each.start()), stops.index(each.end()) + 1) for each in found)
    return tokens, one, other
