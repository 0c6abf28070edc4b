"""Verbs with their forms: those that do something to something, and others that rules must know as verbs."""

from collections.abc import Iterator
from dataclasses import dataclass

from augmentation.lexicon import listed

# Verbs whose subject and object cannot change places: base, past and participle where they are not regular.
REGULAR = (
    "abandon abuse accept accuse admire adopt affect allow appoint approve arrest ask assassinate attack attract ban "
    "betray blame block bomb bother bully bury calculate call cancel capture carry cause change charge chase clean "
    "colonize conquer consume control convert cook copy cover create criticize cross cure damage defeat defend define "
    "deliver describe design destroy develop dislike dominate edit eliminate elect employ encourage endorse enslave "
    "execute expand exploit express fire follow hack harass hate help hire hug hunt hurt ignore impress improve "
    "influence inspire insult interview invade invent judge kick kidnap kill kiss lead like limit love manage "
    "manipulate manufacture measure murder name need observe obtain occupy offend oppose own peel persecute play "
    "please pour prefer prevent produce promote protect prove publish pull punish push raise reach receive reduce "
    "regulate reject release replace represent respect reward rob ruin rule save scare share slap slice stab stir "
    "stop store study support surpass surprise suspend target tax terminate threaten torture touch trust use visit "
    "want wash watch worship fry chop brush"
)
IRREGULAR = (
    "beat beat beaten, become became become, bite bit bitten, break broke broken, bring brought brought, build built "
    "built, buy bought bought, catch caught caught, choose chose chosen, cut cut cut, draw drew drawn, drink drank "
    "drunk, drive drove driven, eat ate eaten, feed fed fed, feel felt felt, find found found, forgive forgave "
    "forgiven, get got got, give gave given, hit hit hit, hold held held, hurt hurt hurt, keep kept kept, know knew "
    "known, leave left left, lose lost lost, make made made, overthrow overthrew overthrown, pay paid paid, read read "
    "read, ride rode ridden, see saw seen, sell sold sold, shoot shot shot, sing sang sung, steal stole stolen, take "
    "took taken, teach taught taught, tell told told, think thought thought, throw threw thrown, understand "
    "understood understood, win won won, write wrote written"
)
NO_PASSIVE = listed(
    "become get feel think tell give want like need find ask help call know hurt keep take beat lead lose leave cut"
)
OTHER = (
    "be go do have come live learn start work stay move travel try look talk speak die grow gain run walk wait begin "
    "end happen seem appear say listen sit stand sleep wake fall rise apply prepare earn invest join enter pass fail "
    "crack access add delete install download upload reset recover check test fix solve reply respond react deal cope "
    "meet marry date cheat lie fight argue agree disagree compare differ remember forget quit drop put set send show "
    "turn open close wear spend taste last sound smell cost weigh sell age mature afford survive pursue complete "
    "finish handle identify decide expect assume maintain overcome speed contact discuss share search select choose "
    "review organize sort manage monitor practice listen calculate derive merge backup unlock lock print scan edit "
    "format integrate implement configure execute debug compile deploy host donate borrow lend repay withdraw "
    "transfer deposit rent trade negotiate bargain vote campaign explain express practise memorize concentrate focus "
    "relax breathe rest jump swim dance laugh smile cry shout whisper shake hang fly land leave return arrive depart "
    "stay remain commit continue proceed avoid resist escape hide seek gather collect"
)
DOUBLED = listed(
    "ban chop control hug kidnap plan prefer rob slap stab stop stir hug cut hit get run sit put set quit win"
)


@dataclass(frozen=True)
class Verb:
    """The forms of a verb.

    Args:
        base: As in "to see".
        past: As in "saw".
        participle: As in "seen".
    """

    base: str
    past: str
    participle: str

    @property
    def third(self) -> str:
        """As in "sees"."""
        if self.base.endswith(("s", "sh", "ch", "x", "z", "o")):
            return f"{self.base}es"
        return f"{self.base[:-1]}ies" if _ends_in_consonant_y(self.base) else f"{self.base}s"

    @property
    def gerund(self) -> str:
        """As in "seeing"."""
        if self.base in DOUBLED:
            return f"{self.base}{self.base[-1]}ing"
        silent = self.base.endswith("e") and not self.base.endswith(("ee", "ye"))
        return f"{self.base[:-1]}ing" if silent else f"{self.base}ing"


def _ends_in_consonant_y(base: str) -> bool:
    return base.endswith("y") and base[-2] not in "aeiou"


def _regular(base: str) -> Verb:
    if base in DOUBLED:
        past = f"{base}{base[-1]}ed"
    elif base.endswith("e"):
        past = f"{base}d"
    else:
        past = f"{base[:-1]}ied" if _ends_in_consonant_y(base) else f"{base}ed"
    return Verb(base, past, past)


def _read() -> Iterator[Verb]:
    yield from map(_regular, REGULAR.split())
    yield from (Verb(*forms.split()) for forms in IRREGULAR.split(","))


TRANSITIVE = {verb.base: verb for verb in _read()}
GERUNDS = {verb.gerund: verb for verb in TRANSITIVE.values()}
PASTS = {verb.past: verb for verb in TRANSITIVE.values() if verb.past != verb.base}
THIRDS = {verb.third: verb for verb in TRANSITIVE.values()}
PARTICIPLES = {verb.participle: verb for verb in TRANSITIVE.values()}
BASES = frozenset(TRANSITIVE) | frozenset(OTHER.split())


def is_verb(word: str) -> bool:
    """Whether a word is a form of a verb that is known here."""
    return word in BASES or word in PASTS or word in GERUNDS or word in THIRDS or word in ("using", "having")
