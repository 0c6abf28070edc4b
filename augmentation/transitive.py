"""Who does it to whom: the subject, verb and object of a question or a caption."""

from dataclasses import dataclass

from augmentation.groups import ACTING
from augmentation.lexicon import CONJUNCTIONS, DETERMINERS, POSSESSIVES
from augmentation.tokens import Edit, Span, Tokens, is_plural
from augmentation.verbs import GERUNDS, TRANSITIVE, Verb

WEAK = ("get", "keep", "make", "take", "need", "become")  # whose objects do not act
AFTER_NO_OBJECT = ("of", "to", "'", ",", "from", "like", "more", "than")


@dataclass(frozen=True)
class Frame:
    """The parts of "why did A attack B ...?" or "A dog is chasing a cat".

    Args:
        tokens: The tokens.
        subject: Where the subject is.
        verb: The verb.
        thing: Where the object is.
        is_caption: Whether it is not a question.
    """

    tokens: Tokens
    subject: Span
    verb: Verb
    thing: Span
    is_caption: bool


def find_frame(text: str) -> Frame | None:
    """Return subject, verb and object; None where a text is of another form."""
    tokens = Tokens.of(text)
    asked = tokens.lower_at(0) in ("why", "how", "when", "where") and tokens.lower_at(1) in ("do", "does", "did")
    found = _find_asked(tokens) if asked else _find_said(tokens)
    if found is None:
        return None
    subject, verb, begin = found
    end = tokens.phrase_from(begin)
    if end == begin or tokens.lower_at(end) in CONJUNCTIONS or tokens.lower_at(end) in AFTER_NO_OBJECT:
        return None
    names = tokens.lower[slice(*subject)]
    if not names or any(word.endswith("ly") or "'" in word for word in names):
        return None
    if {*names} & {*tokens.lower[begin:end]} & {"people", "one"}:
        return None
    return Frame(tokens, subject, verb, (begin, end), is_caption=not asked)


def _find_asked(tokens: Tokens) -> tuple[Span, Verb, int] | None:
    """Find subject, verb and the place behind it in "why did A attack B?"."""
    places = [place for place in range(3, tokens.phrase_from(2)) if tokens.lower[place] in TRANSITIVE]
    return ((2, places[0]), TRANSITIVE[tokens.lower[places[0]]], places[0] + 1) if places else None


def _find_said(tokens: Tokens) -> tuple[Span, Verb, int] | None:
    """Find subject, verb and the place behind it in "A dog is chasing a cat"."""
    joint = tokens.phrase_from(0)
    verb = GERUNDS.get(tokens.lower_at(joint + 1))
    if verb is None or tokens.lower_at(0) not in DETERMINERS or tokens.lower_at(joint) not in ("is", "are"):
        return None
    return (0, joint), verb, joint + 2


def can_act(tokens: Tokens, span: Span) -> bool:
    """Whether a part of a sentence is a name, or ends with a word for people or animals."""
    return all(tokens.is_name(place) for place in range(*span)) or tokens.lower[span[1] - 1] in ACTING


def swap_subject_and_object(frame: Frame) -> Edit | None:
    """Swap A and B in "why did A attack B?", where B could do it too."""
    tokens, subject, thing = frame.tokens, frame.subject, frame.thing
    if frame.verb.base in WEAK or not POSSESSIVES.isdisjoint(tokens.lower[slice(*thing)]):
        return None
    if is_plural(tokens.cut(*subject)) != is_plural(tokens.cut(*thing)):
        return None
    both_act = can_act(tokens, subject) and can_act(tokens, thing)
    return tokens.exchange(subject, thing) if both_act and tokens.have_like_articles(subject, thing) else None
