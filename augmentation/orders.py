"""Positives that keep every word: lists, clauses and sentences in another order, and relations that hold both ways."""

import re

from augmentation.lexicon import (
    AUXILIARIES,
    CONJUNCTIONS,
    DETERMINERS,
    FUNCTION_WORDS,
    PREPOSITIONS,
    QUESTION_WORDS,
    SUBJECTS,
)
from augmentation.tokens import Edit, Tokens, capitalise, decapitalise, is_plural
from augmentation.verbs import BASES

BEFORE_LISTS = (PREPOSITIONS - {"to"}) | DETERMINERS | {"'s", "both", "either"}
NOT_LISTED = frozenset("so then such more less other others etc many again on off out up even not why how i you me all things non rest only last first second next barnes noble johnson great britain northern ireland potter".split())
FRONTS = frozenset(
    "if when while although after before since because once unless in as for during on at with without among under "
    "despite given apart besides within".split()
)
NOT_ASKED_IF = frozenset(
    "know tell see check ask wonder matter determine sure find care decide mind like mean even as only and but what or "
    "say verify identify understand out curious doubt figure confirm feels feel is are be was day time year years moment case especially except just "
    "point age date that than remember from by about of for on in".split()
)
POINTING = frozenset("it its this that these those they them their he him his she her then there so also such same one ones here both".split())
ABBREVIATED = re.compile(r"\b(?:vs|e\.g|etc|Dr|Mr|Mrs|no|No|St|Rs|[A-Z])[.]")
RELATIONS = (
    re.compile(r"^(?:how|why|in what ways?) (?:is|are|was|were) (?P<a>.+?) (?:so |very )?(?:different from|different to|different than|similar to|related to|connected to) (?P<b>.+?)(?P<end>\?)$", re.I),
    re.compile(r"^(?:how|why) (?:do|does|did) (?P<a>.+?) (?:differ from|compare to|compare with|relate to|differ to) (?P<b>.+?)(?P<end>\?)$", re.I),
    re.compile(r"^(?:what is |what's |what are )?(?:the )?(?:distance|difference|differences|similarities|relationship|relation|similarity|connection|link) (?:between|from) (?P<a>[^,?]+?) (?:and|to) (?P<b>[^,?]+?)(?P<end>\?)$", re.I),
    re.compile(r"^(?:which|who|what)[^,:?]* (?:better|best|good|win|faster|more \w+|older|stronger|correct|right|easier|worth \w+|harder|cheaper|bigger)[^,:?]*[,:] (?P<a>[^,:?]+?) (?:or|and|vs\.?) (?P<b>[^,:?]+?)(?P<end>\?)$", re.I),
)


def reorder_list(text: str) -> Edit | None:
    """Swap A and B in the only "A and B", "A or B" or "A vs B" of a sentence, each a word or a name."""
    tokens = Tokens.of(text)
    joints = [place for place, word in enumerate(tokens.lower) if word in ("and", "or", "vs", "versus", "&")]
    if len(joints) != 1:
        return None
    joint = joints[0]
    if tokens.lower_at(joint - 1) == "/" or tokens.lower_at(joint + 1) in (".", "/", ""):
        return None
    start, stop = _name_to(tokens, joint), _name_from(tokens, joint + 1)
    if start == joint or stop == joint + 1:
        start, stop = joint - 1, joint + 2
        if tokens.lower_at(start - 1) not in BEFORE_LISTS or not tokens.is_content(start) or not tokens.is_content(stop - 1):
            return None
        if tokens.words[start][0].isupper() != tokens.words[stop - 1][0].isupper():
            return None
        one, other = tokens.lower[start], tokens.lower[stop - 1]
        if one in BASES or other in BASES or is_plural(one) != is_plural(other) or one.endswith("ing") != other.endswith("ing"):
            return None
    elif tokens.lower_at(start - 1) in DETERMINERS:
        return None
    if not _is_bounded(tokens, start, stop) or NOT_LISTED & {*tokens.lower[start:stop]}:
        return None
    if any(word[0].isdigit() for word in tokens.lower[start:stop]):
        return None
    return tokens.exchange((start, joint), (joint + 1, stop))


def _name_to(tokens: Tokens, stop: int) -> int:
    start = stop
    while tokens.is_name(start - 1):
        start -= 1
    return start


def _name_from(tokens: Tokens, start: int) -> int:
    stop = start
    while tokens.is_name(stop):
        stop += 1
    return stop


def _is_bounded(tokens: Tokens, start: int, stop: int) -> bool:
    before, behind = tokens.lower_at(start - 1), tokens.lower_at(stop)
    ends = not behind or not tokens.is_word(stop) or (behind in FUNCTION_WORDS and tokens.words[stop][0].islower())
    return ends and behind not in ("-", "/", "'", "(", ",", "\"") and (before in FUNCTION_WORDS or before in BASES or before in (":", ",")) and before != "and"


def swap_relation(text: str) -> Edit | None:
    """Swap both sides of a relation that holds both ways: "how is A different from B", "which is better, A or B"."""
    for pattern in RELATIONS:
        found = pattern.match(text.strip())
        if found is None:
            continue
        one, other = found["a"], found["b"]
        if max(len(one.split()), len(other.split())) > 5 or is_plural(one) != is_plural(other):
            return None
        if {*one.lower().split(), *other.lower().split()} & {"and", "or", "other", "others", "in", "when", "for", "with", "it", "if", "is", "i", "to", "that", "between", "vs", "from", "you", "on", "of", "at", "my", "does", "do"}:
            return None
        if one.lower() == other.lower() or one.lower().split()[0] in ("a", "an") and other.lower().split()[0] not in DETERMINERS:
            return None
        shared = text.strip()
        changed = shared[: found.start("a")] + other + shared[found.end("a") : found.start("b")] + one + shared[found.end("b") :]
        return Edit(changed, frozenset((one.lower(), other.lower())))
    return None


def move_clause(text: str) -> Edit | None:
    """Put the clause or phrase before the comma behind the question, or the last clause before it."""
    return _move_back(text) or _move_front(text)


def _move_back(text: str) -> Edit | None:
    found = re.match(r"^(?P<front>[A-Z][^,?.!;:]*), (?P<main>[^,?.!;:]+)\?$", text.strip())
    if found is None:
        return None
    front, main = Tokens.of(found["front"]), Tokens.of(found["main"])
    if front.lower[0] not in FRONTS or main.lower[0] not in QUESTION_WORDS | AUXILIARIES or len(main) < 3:
        return None
    if "then" in main.lower or {"and", "or"} & {*main.lower} or len(front) < 2:
        return None
    return Edit(f"{capitalise(found['main'])} {decapitalise(found['front'])}?")


def _move_front(text: str) -> Edit | None:
    stripped = text.strip()
    tokens = Tokens.of(stripped)
    if not stripped.endswith("?") or any(mark in stripped[:-1] for mark in "?.!,;:\"()"):
        return None
    places = [place for place, word in enumerate(tokens.lower) if word in ("if", "when", "while", "because", "unless", "although", "after", "before")]
    if len(places) != 1 or places[0] < 3 or tokens.lower[0] not in QUESTION_WORDS | AUXILIARIES:
        return None
    place = places[0]
    subject = tokens.lower_at(place + 1)
    if subject not in SUBJECTS or tokens.lower[place - 1] in NOT_ASKED_IF or tokens.lower[place - 1] in PREPOSITIONS:
        return None
    if {"that", "who", "know", "think", "and", "or", "but", "say"} & {*tokens.lower[:place]} or "that" == subject:
        return None
    if tokens.lower[place] in ("after", "before") and subject not in ("i", "you", "he", "she", "we", "they"):
        return None
    start = tokens.places[place][0]
    return Edit(f"{capitalise(stripped[start:-1])}, {decapitalise(stripped[:start].strip())}?")


def reorder_sentences(text: str) -> Edit | None:
    """Swap the two sentences of a text, where neither points back to the other."""
    found = re.match(r"^(?P<one>[^.?!]{15,}[.?!]) (?P<two>[^.?!]{15,}[.?!])$", text.strip())
    if found is None or not found["two"][0].isupper() or ABBREVIATED.search(found["one"]):
        return None
    second = Tokens.of(found["two"])
    if not POINTING.isdisjoint(second.lower) or second.lower[0] in CONJUNCTIONS - {"if", "when"} or len(second) < 5:
        return None
    if second.lower[:2] == ("what", "about") or second.lower[:3] == ("in", "other", "words"):
        return None
    if found["one"].endswith(".") and found["one"].split()[0].lower() in CONJUNCTIONS:
        return None  # no sentence of its own
    return Edit(f"{found['two']} {found['one']}")
