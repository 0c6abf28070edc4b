"""Negatives that differ in one small word or two numbers: or and and, before and after, not, numbers."""

import re

from augmentation.lexicon import AUXILIARIES, NEGATIONS, POLARITY
from augmentation.tokens import Edit, Tokens
from augmentation.verbs import BASES

NUMBER = re.compile(r"(?<![\w.,/$£€₹:+-])\d{1,3}(?![\w/:+-]|[.,]\d|(?:st|nd|rd|th)\b)")
JOINED = re.compile(r"^\s*(?:%|years?|months?|days?|rs\.?|am|pm)?\s*(?:and|or|to|vs\.?|[-,/x*+&=]|or/and|than)\s*\W*$", re.IGNORECASE)
CHOOSERS = frozenset("should is are was were does do did would will shall".split())
OPEN = frozenset("any anyone anything someone something somebody most more best which that who if possible , whether either".split())
OPEN_AFTER = frozenset("not no less / so other is are do does should if just simply".split())
DATED = frozenset("jan feb mar apr jun jul aug sep oct nov dec january february march april may june july august september october november december date dating marry class fortune windows".split())
AVOIDED = frozenset("gain lose become be feel fall forget cry hurt miss waste worry care offend stop smell".split())
PLAIN_VERBS = "do does did is are was were can could should would has have".split()
IRREGULAR_NOT = {"can": "can't", "will": "won't"}
WITH_NOT = {verb: IRREGULAR_NOT.get(verb, f"{verb}n't") for verb in [*PLAIN_VERBS, "will"]}
WITHOUT_NOT = {contracted: verb for verb, contracted in WITH_NOT.items()}


def swap_or_and(text: str) -> Edit | None:
    """Turn the one "or" of a choice between two things into "and"."""
    tokens = Tokens.of(text)
    places = [place for place, word in enumerate(tokens.lower) if word == "or"]
    if len(places) != 1 or "and" in tokens.lower or tokens.lower[0] not in CHOOSERS or NEGATIONS & {*tokens.lower}:
        return None
    if tokens.lower[1:2] in (("there",), ("it",)) or OPEN & {*tokens.lower}:
        return None
    place = places[0]
    if OPEN_AFTER & {*tokens.lower[place - 1 : place + 3]} or not tokens.is_content(place - 1):
        return None
    return _replace(tokens, place, "and")


def swap_before_after(text: str) -> Edit | None:
    """Turn the one "before" into "after", or the other way round."""
    tokens = Tokens.of(text)
    places = [place for place, word in enumerate(tokens.lower) if word in ("before", "after")]
    if len(places) != 1:
        return None
    place = places[0]
    before, behind = tokens.lower_at(place - 1), tokens.lower_at(place + 1)
    if tokens.is_end(place + 1) or behind in ("all", "long", "that", "this", "it", "the", "christ", "effects", "market", "school", "sales", "which", "and") and behind != "the":
        return None
    if before in ("look", "looking", "looked", "looks", "named", "sought", "go", "run", "take", "takes", "day", "ever", "never", "one", "morning", "soon", "seek", "year", "shortly", "immediately", "ask", "chase", "chasing", "running", "going", "even", "happily", "forever", "right", "died", "like", "-"):
        return None
    if {"already", "dying", "die", "died", "death", "happens", "happen", "until", "life", "born", "birth"} & {*tokens.lower}:
        return None
    word = "after" if tokens.lower[place] == "before" else "before"
    return _replace(tokens, place, word.capitalize() if tokens.words[place][0].isupper() else word)


def swap_numbers(text: str) -> Edit | None:
    """Swap the two numbers of a sentence that are no range, list or sum."""
    found = [*NUMBER.finditer(text)]
    if len(found) != 2 or len(re.findall(r"\d+", text)) != 2:
        return None
    between = text[found[0].end() : found[1].start()]
    if JOINED.match(between) or found[0].group() == found[1].group() or not re.search(r"[A-Za-z]{3}", between):
        return None
    tokens = Tokens.of(text)
    values = sorted(int(each.group()) for each in found)
    if values[0] < 2 or values[1] > 4 * values[0] or DATED & {*tokens.lower}:
        return None  # what is odd in the other place
    if {"difference", "between", "sum", "divided", "multiplied", "vs", "compare", "ratio", "+", "="} & {*tokens.lower}:
        return None
    one, other = found[0], found[1]
    changed = f"{text[: one.start()]}{other.group()}{between}{one.group()}{text[other.end() :]}"
    return Edit(changed, frozenset((one.group(), other.group())))


def toggle_negation(text: str) -> Edit | None:
    """Put a "not" into a question that is no yes/no question, or take its only one out."""
    tokens = Tokens.of(text)
    if tokens.lower_at(0) in AUXILIARIES or len(tokens) < 4 or _has_several_sentences(tokens):
        return None
    negations = [place for place, word in enumerate(tokens.lower) if word in NEGATIONS or word.endswith("n't")]
    if len(negations) == 1:
        return _take_out(tokens, negations[0])
    return _put_in(tokens) if not negations else None


def _take_out(tokens: Tokens, place: int) -> Edit | None:
    if not POLARITY.isdisjoint(tokens.lower) or "matter" in tokens.lower:
        return None
    word = tokens.lower[place]
    if word == "not":
        before, behind = tokens.lower_at(place - 1), tokens.lower_at(place + 1)
        if before in ("or", "why", "if", "but", "and", "does", "did", "") or behind in ("only", "so", "", "?", "a", ",") or not tokens.is_word(place + 1):
            return None
        start, stop = tokens.places[place][0], tokens.places[place + 1][0]
        if before == "do" and behind in BASES and tokens.lower_at(place - 2) not in ("to",):
            start = tokens.places[place - 1][0]
        return Edit(tokens.text[:start] + tokens.text[stop:])
    positive = WITHOUT_NOT.get(word)
    if positive is None:
        return None
    if tokens.lower_at(0) in ("why",) and place == 1:
        if tokens.lower_at(2) in ("we", "you") and positive == "do":
            return None  # a proposal
        return _replace(tokens, place, positive)
    if positive == "do":
        behind = tokens.lower_at(place + 1)
        if behind not in BASES:
            return None
        return Edit(tokens.text[: tokens.places[place][0]] + tokens.text[tokens.places[place + 1][0] :])
    return _replace(tokens, place, positive) if positive not in ("does", "did") else None


def _put_in(tokens: Tokens) -> Edit | None:
    first, second = tokens.lower[:2]
    if first == "why" and second in WITH_NOT and not {"so", "such", "still", "only", "too"} & {*tokens.lower}:
        return _replace(tokens, 1, WITH_NOT[second])
    if first in ("how", "what") and second in ("do", "can", "should", "could", "would") and tokens.lower_at(2) in ("i", "you", "we", "one"):
        if tokens.lower_at(3) not in AVOIDED:
            return None
        return _insert(tokens, 3, "not")
    for place in range(2, len(tokens) - 2):
        if tokens.lower[place - 1] in ("who", "if", "that") and tokens.lower[place] in ("are", "can", "have", "is"):
            if tokens.lower[place - 1] == "who":
                return _replace(tokens, place, WITH_NOT[tokens.lower[place]])
        if tokens.lower[place - 1] in ("if", "when") and tokens.lower[place] in ("i", "you", "we", "they") and tokens.lower[place + 1] in BASES - {"be"}:
            return _insert(tokens, place + 1, "don't")
        if tokens.lower[place - 1] == "who" and tokens.lower[place] in BASES - {"be", "do", "have"} and tokens.lower_at(place - 2) in ("people", "those", "men", "women", "students"):
            return _insert(tokens, place, "don't")
    return None


def _has_several_sentences(tokens: Tokens) -> bool:
    return any(word in ("?", ".", "!") and not tokens.is_end(place) for place, word in enumerate(tokens.words))


def _replace(tokens: Tokens, place: int, word: str) -> Edit:
    start, stop = tokens.places[place]
    return Edit(f"{tokens.text[:start]}{word}{tokens.text[stop:]}")


def _insert(tokens: Tokens, place: int, word: str) -> Edit:
    start = tokens.places[place][0]
    return Edit(f"{tokens.text[:start]}{word} {tokens.text[start:]}")
