"""Active and passive: who does it to whom said in both ways, rightly and with the roles exchanged."""

from augmentation.exchanges import can_act, find_transitive
from augmentation.lexicon import DETERMINERS, PRONOUNS
from augmentation.tokens import Edit, Tokens, capitalise, decapitalise, is_plural
from augmentation.verbs import GERUNDS, NO_PASSIVE, PARTICIPLES, TRANSITIVE

POSSESSIVES = frozenset("my your his her its our their".split())


def change_voice(text: str) -> Edit | None:
    """Say an active question or caption in the passive, with the roles kept."""
    return _to_passive(text, keep_roles=True)


def swap_passive(text: str) -> Edit | None:
    """Say an active question or caption in the passive with the roles exchanged, or exchange those of a passive."""
    return _exchange_passive(text) or _to_passive(text, keep_roles=False)


def _to_passive(text: str, *, keep_roles: bool) -> Edit | None:
    frame = find_transitive(Tokens.of(text))
    if frame is None:
        return None
    tokens, subject, verb, thing = frame
    is_caption = verb[1] - verb[0] == 2
    form = GERUNDS[tokens.lower[verb[0] + 1]] if is_caption else TRANSITIVE[tokens.lower[verb[0]]]
    if form.base in NO_PASSIVE or PRONOUNS & {*tokens.lower[slice(*subject)], *tokens.lower[slice(*thing)]}:
        return None
    if tokens.lower[thing[0]].endswith("ing") or tokens.lower[thing[0]] in ("place", "care", "fast", "time"):
        return None
    if not keep_roles and (not can_act(tokens, thing) or tokens.lower[thing[0]] in POSSESSIVES):
        return None
    agent, patient = (subject, thing) if keep_roles else (thing, subject)
    first, second = tokens.cut(*patient), tokens.cut(*agent)
    if first.lower() == second.lower():
        return None
    rest = tokens.text[tokens.places[thing[1] - 1][1] :]
    plural = is_plural(first)
    if is_caption:
        first, second = capitalise(first), decapitalise(second) if subject == agent else second
        be = "are being" if plural else "is being"
        return Edit(f"{first} {be} {form.participle} by {second}{rest}")
    past = tokens.lower[1] == "did"
    be = ("were" if plural else "was") if past else ("are" if plural else "is")
    return Edit(f"{tokens.words[0]} {be} {first} {form.participle} by {second}{rest}")


def _exchange_passive(text: str) -> Edit | None:
    """Swap A and B in "A was attacked by B"."""
    tokens = Tokens.of(text)
    for place in range(2, len(tokens) - 1):
        if tokens.lower[place] != "by" or tokens.lower[place - 1] not in PARTICIPLES:
            continue
        start, joint = _subject_of(tokens, place - 1)
        stop = tokens.phrase_from(place + 1)
        if joint == start or stop == place + 1 or tokens.lower[place + 1].endswith("ing"):
            return None
        if is_plural(tokens.cut(start, joint)) != is_plural(tokens.cut(place + 1, stop)):
            return None
        if (tokens.lower[start] in DETERMINERS) != (tokens.lower[place + 1] in DETERMINERS):
            return None
        return tokens.exchange((start, joint), (place + 1, stop))
    return None


def _subject_of(tokens: Tokens, participle: int) -> tuple[int, int]:
    """Return where the subject of a passive begins and ends: before "was attacked", or inside "was A attacked"."""
    if tokens.lower_at(participle - 1) in ("is", "are", "was", "were", "being"):
        joint = participle - 1
        while tokens.lower_at(joint - 1) in ("is", "are", "was", "were"):
            joint -= 1
        return tokens.phrase_to(joint), joint
    start = tokens.phrase_to(participle)
    asked = tokens.lower_at(start - 1) in ("is", "are", "was", "were") and tokens.lower_at(start - 2) in ("why", "how", "when")
    return (start, participle) if asked else (participle, participle)
