"""Negations: why people vote is not why people do not vote.

Yes/no questions are left alone: "Can I?" and "Can't I?" ask the same.
"""

from augmentation.lexicon import AUXILIARIES, NEGATIONS, POLARITY, listed
from augmentation.tokens import Edit, Tokens
from augmentation.verbs import BASES

AVOIDED = listed("gain fall forget cry hurt miss waste worry offend")  # what one may want not to do
SCOPED = listed("so such still only too rarely")  # which a negation would change in another way
PEOPLE = ("people", "those", "men", "women", "students")
PLAIN = ("do", "does", "did", "is", "are", "was", "were", "could", "should", "would", "has", "have")
WITH_NOT = {verb: f"{verb}n't" for verb in PLAIN} | {"can": "can't", "will": "won't"}
WITHOUT_NOT = {contracted: verb for verb, contracted in WITH_NOT.items()}


def toggle_negation(text: str) -> Edit | None:
    """Put a "not" into a question that is no yes/no question, or take its only one out."""
    tokens = Tokens.of(text)
    if tokens.lower_at(0) in AUXILIARIES or len(tokens) < 4 or _has_several_sentences(tokens):
        return None
    negations = [place for place, word in enumerate(tokens.lower) if word in NEGATIONS or word.endswith("n't")]
    if len(negations) == 1:
        return _take_out(tokens, negations[0])
    return None if negations else _put_into_why(tokens) or _put_into_how(tokens) or _put_into_clause(tokens)


def _has_several_sentences(tokens: Tokens) -> bool:
    return any(word in ("?", ".", "!") and not tokens.is_end(place) for place, word in enumerate(tokens.words))


def _take_out(tokens: Tokens, place: int) -> Edit | None:
    before, behind = tokens.lower_at(place - 1), tokens.lower_at(place + 1)
    if not POLARITY.isdisjoint(tokens.lower) or "matter" in tokens.lower or before in ("or", "and", "but", "instead"):
        return None
    if tokens.lower[place] == "not":
        return _take_not_out(tokens, place)
    positive = WITHOUT_NOT.get(tokens.lower[place])
    if positive is None or (positive == "do" and behind in ("we", "you")):  # a proposal
        return None
    if tokens.lower_at(0) == "why" and place == 1:
        return tokens.replace(place, positive)
    if positive == "do":
        return tokens.remove(place, place + 1) if behind in BASES else None
    return tokens.replace(place, positive) if positive not in ("does", "did") else None


def _take_not_out(tokens: Tokens, place: int) -> Edit | None:
    before, behind = tokens.lower_at(place - 1), tokens.lower_at(place + 1)
    if (
        before in ("why", "if", "does", "did", "")
        or not tokens.is_word(place + 1)
        or behind in ("only", "so", "a", "in")
    ):
        return None
    with_do = before == "do" and tokens.lower_at(place - 2) != "to"
    return tokens.remove(place - with_do, place + 1)


def _put_into_why(tokens: Tokens) -> Edit | None:
    """Turn "why do" into "why don't"."""
    verb = tokens.lower[1]
    if tokens.lower[0] != "why" or verb not in WITH_NOT or tokens.lower[2] in ("that", "is"):
        return None
    if not SCOPED.isdisjoint(tokens.lower) or (verb == "should" and "if" in tokens.lower):
        return None
    return tokens.replace(1, WITH_NOT[verb])


def _put_into_how(tokens: Tokens) -> Edit | None:
    """Turn "how can I gain" into "how can I not gain"."""
    question, verb, subject, doing = tokens.lower[:4]
    asked = question in ("how", "what") and verb in ("do", "can", "should", "could", "would")
    return tokens.insert(3, "not") if asked and subject in ("i", "you", "we", "one") and doing in AVOIDED else None


def _put_into_clause(tokens: Tokens) -> Edit | None:
    """Negate the first "who are", "people who eat" or "if I eat" of a question that is not about its own who."""
    for place in range(2, len(tokens) - 2):
        before, word, behind = tokens.lower[place - 1 : place + 2]
        if before == "who" and word in ("are", "can", "is") and tokens.lower_at(place - 2) in PEOPLE:
            return tokens.replace(place, WITH_NOT[word])
        if before == "who" and word in BASES - {"be", "do", "have"} and tokens.lower_at(place - 2) in PEOPLE:
            return tokens.insert(place, "don't")
        if before == "if" and word in ("i", "you", "we", "they") and behind in BASES - {"be", "have"}:
            return tokens.insert(place + 1, "don't")
    return None
