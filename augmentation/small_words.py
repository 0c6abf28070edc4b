"""Small words: or is not and, before is not after."""

from augmentation.lexicon import NEGATIONS, POSSESSIVES, TIMES, listed
from augmentation.tokens import Edit, Tokens

CHOOSERS = listed("should is are was were shall")  # of a question that asks to choose
OPEN = listed(  # where a list may be meant
    "better faster easier worse first because like than any anyone anything someone something somebody most more best "
    "which that who if possible , whether either less"
)
NEAR_OPEN = listed("not no less / so other is are do does should if just simply")
NOT_BEFORE = listed(  # as in "look after", "the day after"
    "look looking looked looks named sought go run take takes day ever never one morning soon seek year shortly "
    "immediately ask chase chasing running going even happily forever right died like - here"
)
NOT_BEHIND = listed("all long that this it christ effects market school sales which and we")
NUMBERS = listed("a an one two three four five six seven eight nine ten few some several many")
LIFE = listed("already dying die died death happens happen until life born birth")


def swap_or_and(text: str) -> Edit | None:
    """Turn the one "or" of a choice between two things into "and"."""
    tokens = Tokens.of(text)
    places = [place for place, word in enumerate(tokens.lower) if word == "or"]
    if len(places) != 1 or "and" in tokens.lower or tokens.lower[0] not in CHOOSERS:
        return None
    if tokens.lower_at(1) in ("there", "it") or not (OPEN | NEGATIONS).isdisjoint(tokens.lower):
        return None
    (place,) = places
    near = tokens.lower[place - 1 : place + 3]
    endings = {word[-2:] if word.endswith("ed") else word[-3:] for word in (near[0], tokens.lower_at(place + 1))}
    if endings in ({"ed"}, {"ing"}) or tokens.lower_at(place - 2) in POSSESSIVES:
        return None  # one may be both: harassed or discriminated, your cat or dog
    return tokens.replace(place, "and") if NEAR_OPEN.isdisjoint(near) and tokens.is_content(place - 1) else None


def swap_before_after(text: str) -> Edit | None:
    """Turn the one "before" into "after", or the other way round."""
    tokens = Tokens.of(text)
    places = [place for place, word in enumerate(tokens.lower) if word in ("before", "after")]
    if len(places) != 1 or not LIFE.isdisjoint(tokens.lower):
        return None
    (place,) = places
    if _is_span(tokens, place + 1):
        return None
    if tokens.is_end(place + 1) or tokens.lower_at(place - 1) in NOT_BEFORE or tokens.lower_at(place + 1) in NOT_BEHIND:
        return None
    word = "after" if tokens.lower[place] == "before" else "before"
    return tokens.replace(place, word.capitalize() if tokens.words[place][0].isupper() else word)


def _is_span(tokens: Tokens, place: int) -> bool:
    """Whether a span of time begins at a token, as in "after two years", which "before two years" does not answer."""
    is_number = tokens.lower_at(place) in NUMBERS or tokens.lower_at(place).isdecimal()
    return is_number and tokens.lower_at(place + 1) in TIMES
