"""Active and passive: who does it to whom said in both ways, rightly and with the roles exchanged."""

from augmentation.lexicon import POSSESSIVES, PRONOUNS, listed
from augmentation.tokens import Edit, Span, Tokens, capitalise, decapitalise, is_plural
from augmentation.transitive import Frame, can_act, find_frame
from augmentation.verbs import BASES, NO_PASSIVE, PARTICIPLES

NO_THINGS = listed("place care fast slow time away back off news become get turn fall done")  # which look like objects
OF_A_SUBJECT = listed("his her its their")  # which would stand before what they point at
QUOTES = frozenset('"“”')
NOT_BEHIND_OBJECT = QUOTES | listed("( ) such who which whose")  # which goes on there
BE = ("is", "are", "was", "were")


def change_voice(text: str) -> Edit | None:
    """Say an active question or caption in the passive, with the roles kept."""
    frame = find_frame(text)
    if frame is None or not _has_passive(frame) or not OF_A_SUBJECT.isdisjoint(frame.tokens.lower[slice(*frame.thing)]):
        return None
    return _to_passive(frame, frame.subject, frame.thing)


def swap_passive(text: str) -> Edit | None:
    """Exchange the roles of a passive, or say an active question or caption in the passive with the roles exchanged."""
    found = _exchange_passive(Tokens.of(text))
    frame = None if found else find_frame(text)
    if frame is None or not _has_passive(frame):
        return found
    tokens, thing = frame.tokens, frame.thing
    if not can_act(tokens, thing) or tokens.lower[thing[0]] in POSSESSIVES:
        return None
    return _to_passive(frame, thing, frame.subject)


def _has_passive(frame: Frame) -> bool:
    tokens, (begin, end) = frame.tokens, frame.thing
    parts = {*tokens.lower[slice(*frame.subject)], *tokens.lower[begin:end]}
    if frame.verb.base == "make" and tokens.lower[end - 1] not in ("money", "profit", "profits"):
        return False  # becomes or lets: she made a good doctor, it makes people laugh
    if frame.verb.base in NO_PASSIVE or parts & PRONOUNS or tokens.cut(*frame.subject) == tokens.cut(begin, end):
        return False
    first = tokens.lower[begin]
    if first.endswith("ing") or first in NO_THINGS or (first in BASES and end - begin == 1):
        return False
    return tokens.lower_at(end) not in NOT_BEHIND_OBJECT and "." not in tokens.words[end:-1]


def _to_passive(frame: Frame, agent: Span, patient: Span) -> Edit:
    tokens, participle = frame.tokens, frame.verb.participle
    first, second = tokens.cut(*patient), tokens.cut(*agent)
    rest = tokens.text[tokens.places[frame.thing[1] - 1][1] :]
    plural = is_plural(first)
    if frame.is_caption:
        second = decapitalise(second) if agent == frame.subject else second
        return Edit(f"{capitalise(first)} {'are' if plural else 'is'} being {participle} by {second}{rest}")
    be = ("were" if plural else "was") if tokens.lower[1] == "did" else ("are" if plural else "is")
    return Edit(f"{tokens.words[0]} {be} {first} {participle} by {second}{rest}")


def _exchange_passive(tokens: Tokens) -> Edit | None:
    """Swap A and B in the first "A was attacked by B"."""
    by = [place for place in range(2, len(tokens) - 1) if tokens.lower[place] == "by"]
    by = [place for place in by if tokens.lower[place - 1] in PARTICIPLES]
    if not by:
        return None
    subject, agent = _subject_of(tokens, by[0] - 1), (by[0] + 1, tokens.phrase_from(by[0] + 1))
    if subject is None or agent[0] == agent[1] or tokens.lower[subject[0]] in ("that", "this"):
        return None
    one, other = tokens.cut(*subject), tokens.cut(*agent)
    if tokens.lower_at(agent[1]) in QUOTES | {"of"} or "'" in other or tokens.lower[agent[0]].endswith("ing"):
        return None
    fit = is_plural(one) == is_plural(other) and tokens.have_like_articles(subject, agent)
    return tokens.exchange(subject, agent) if fit else None


def _subject_of(tokens: Tokens, participle: int) -> Span | None:
    """Return where the subject of a passive is: before "was attacked", or inside "why was A attacked"."""
    if tokens.lower_at(participle - 1) in (*BE, "being"):
        joint = participle - 1
        while tokens.lower_at(joint - 1) in BE:
            joint -= 1
        start, stop = tokens.phrase_to(joint), joint
    else:
        start, stop = tokens.phrase_to(participle), participle
        if tokens.lower_at(start - 1) not in BE or tokens.lower_at(start - 2) not in ("why", "how", "when"):
            return None
    return (start, stop) if start < stop else None
