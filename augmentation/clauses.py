"""Clauses and sentences in another order: if A, what B is what B if A."""

import re

from augmentation.lexicon import AUXILIARIES, CONJUNCTIONS, PREPOSITIONS, QUESTION_WORDS, SUBJECTS, TIMES, listed
from augmentation.tokens import Edit, Tokens, capitalise, decapitalise

FRONTS = listed(
    "if when while although after before since because once unless in as for during on at with without among under "
    "despite given apart besides within"
)
CLAUSES = listed("if when while because unless although after before")
NOT_BEFORE = PREPOSITIONS | listed(  # as in "know if": an object, not a condition
    "know tell see check ask wonder matter determine sure find care decide mind like mean even as only and but what or "
    "say verify identify understand out curious doubt figure confirm feels feel is are be was day time year years "
    "moment case especially except just point age date that than remember true"
)
NOT_MOVED_OVER = listed("that who know think and or but say")
POINTING = listed(
    "it its this that these those they them their he him his she her then there so also such same one ones here both "
    "each"
)
LONG_QUESTION = 9  # tokens; a shorter one often lives on the one before: What are the advantages?
ABBREVIATED = re.compile(r"\b(?:vs|e\.g|etc|Dr|Mr|Mrs|no|No|St|Rs|[A-Z])[.]")
FRONTED = re.compile(r"^(?P<front>[A-Z][^,?.!;:]*), (?P<main>[^,?.!;:]+)\?$")
TWO_SENTENCES = re.compile(r"^(?P<one>[^.?!]{15,}[.?!]) (?P<two>[A-Z][^.?!]{14,}[.?!])$")


def move_clause(text: str) -> Edit | None:
    """Put the clause or phrase before the comma behind the question, or the last clause before it."""
    return _move_back(text.strip()) or _move_front(text.strip())


def _move_back(text: str) -> Edit | None:
    found = FRONTED.match(text)
    if found is None:
        return None
    front, main = Tokens.of(found["front"]), Tokens.of(found["main"])
    if len(front) < 2 or len(main) < 3 or not {"then", "and", "or"}.isdisjoint(main.lower):
        return None
    if front.lower[0] not in FRONTS or main.lower[0] not in QUESTION_WORDS | AUXILIARIES:
        return None
    return Edit(f"{capitalise(found['main'])} {decapitalise(found['front'])}?")


def _move_front(text: str) -> Edit | None:
    tokens = Tokens.of(text)
    if not text.endswith("?") or any(mark in text[:-1] for mark in '?.!,;:"()'):
        return None
    places = [place for place, word in enumerate(tokens.lower) if word in CLAUSES]
    if len(places) != 1 or places[0] < 3 or tokens.lower[0] not in QUESTION_WORDS | AUXILIARIES:
        return None
    (place,) = places
    subject = tokens.lower_at(place + 1)
    if subject not in SUBJECTS or subject == "that" or tokens.lower[place - 1] in NOT_BEFORE:
        return None
    is_about_time = tokens.lower[place] in ("after", "before")
    if is_about_time and (subject not in ("i", "you", "he", "she", "we", "they") or tokens.lower[place - 1] in TIMES):
        return None  # as in "a couple hours before I"
    if not NOT_MOVED_OVER.isdisjoint(tokens.lower[:place]):
        return None
    start = tokens.places[place][0]
    return Edit(f"{capitalise(text[start:-1])}, {decapitalise(text[:start].strip())}?")


def reorder_sentences(text: str) -> Edit | None:
    """Swap the two sentences of a text, where the second does not point back."""
    found = TWO_SENTENCES.match(text.strip())
    if found is None or ABBREVIATED.search(found["one"]):
        return None
    one, two = found["one"], found["two"]
    if one.count("(") != one.count(")"):
        return None  # the mark between them ends no sentence
    second = Tokens.of(two)
    if not POINTING.isdisjoint(second.lower) or second.lower[0] in CONJUNCTIONS - {"if", "when"} or len(second) < 5:
        return None
    if second.lower[0] == "specifically" or "the two" in " ".join(second.lower):
        return None
    if second.lower[:2] in (("what", "about"), ("if", "not"), ("if", "yes"), ("in", "other"), ("for", "example")):
        return None
    if one.endswith("?") and len(second) < LONG_QUESTION:
        return None
    if one.endswith(".") and one.split()[0].lower() in CONJUNCTIONS:
        return None  # no sentence of its own
    return Edit(f"{two} {one}")
