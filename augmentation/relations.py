"""Relations that hold both ways: how A differs from B is how B differs from A."""

import re

from augmentation.lexicon import DETERMINERS, listed
from augmentation.tokens import Edit, is_plural

BETTER = r"better|best|good|win|faster|more \w+|older|stronger|correct|right|easier|worth \w+|harder|cheaper|bigger"
NOUNS = "distance|differences?|similarity|similarities|relationship|relation|connection|link"
FORMS = (
    r"(?:how|why|in what ways?) (?:is|are|was|were) A (?:so |very )?(?:different from|different to|different than|"
    r"similar to|related to|connected to) B",
    r"(?:how|why) (?:do|does|did) A (?:differ from|compare to|compare with|relate to|differ to) B",
    rf"(?:what is |what's |what are )?(?:the )?(?:{NOUNS}) (?:between|from) A (?:and|to) B",
    rf"(?:which|who|what)[^,:?]* (?:{BETTER})[^,:?]*[,:] A (?:or|and|vs\.?) B",
)
SIDE = r"[^,:?]+?"
RELATIONS = tuple(
    re.compile(rf"^{form.replace('A', f'(?P<a>{SIDE})').replace('B', f'(?P<b>{SIDE})')}\?$", re.IGNORECASE)
    for form in FORMS
)
ORDINAL = re.compile(r"\d+(?:st|nd|rd|th)$")  # as in "the 4th and 5th edition"
LONGEST = 5  # words of a side
NO_SIDE = listed(
    "and or other others in why when for with it if is i to that between vs from you on of at my does do"
)  # where it is open what belongs to the side


def swap_relation(text: str) -> Edit | None:
    """Swap both sides of "how is A different from B?" and the like, and of "which is better, A or B?"."""
    text = text.strip()
    found = next((found for pattern in RELATIONS if (found := pattern.match(text))), None)
    if found is None:
        return None
    one, other = found["a"], found["b"]
    if not one.strip() or not other.strip():
        return None
    if is_plural(one) != is_plural(other) or one.lower() == other.lower() or re.search(r"[\"“”'‘(),]", one + other):
        return None
    first, second = one.lower().split(), other.lower().split()
    if max(len(first), len(second)) > LONGEST or not NO_SIDE.isdisjoint(first + second):
        return None
    if first[0] in ("a", "an") and second[0] not in DETERMINERS:
        return None  # which may stand for both
    between = text[found.end("a") : found.start("b")]
    is_list = between.strip().lower() in ("and", "or", "vs", "vs.")
    if is_list and (_may_share_word(one, other) or _may_share_end(first, second)):
        return None
    changed = f"{text[: found.start('a')]}{other}{between}{one}{text[found.end('b') :]}"
    return Edit(changed, frozenset((one.lower(), other.lower())))


def _may_share_end(first: list[str], second: list[str]) -> bool:
    """Whether the last word of the second side may belong to both, as in "moving coil and moving iron ammeter"."""
    if first[-1] == second[-1]:
        return False
    has_common = len(first) < len(second) and not DETERMINERS.issuperset({*first} & {*second})
    return has_common or (ORDINAL.match(first[-1]) is not None and ORDINAL.match(second[-1]) is None)


def _may_share_word(one: str, other: str) -> bool:
    """Whether the longer side may end or begin with a word that belongs to both, as in "phase and line voltage"."""
    short, long = sorted((one.split(), other.split()), key=len)
    is_name = all(not word[0].islower() for word in long)
    return len(short) == 1 < len(long) and long[0].lower() not in DETERMINERS and not is_name
