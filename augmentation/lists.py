"""Lists: A and B is B and A."""

from augmentation.lexicon import AUXILIARIES, DETERMINERS, FUNCTION_WORDS, PREPOSITIONS, listed
from augmentation.tokens import Edit, Span, Tokens, is_plural
from augmentation.verbs import BASES

BEFORE = (PREPOSITIONS - {"to"}) | DETERMINERS | {"'s", "both", "either"}
NOT_LISTED = listed(  # words that belong to one side only, and fixed names
    "so then such more less other others etc many again on off out up even not why how i you me all things non rest "
    "only last first second next trinidad tobago bosnia herzegovina two three few moment barnes noble johnson great "
    "britain northern ireland potter"
)


def reorder_list(text: str) -> Edit | None:
    """Swap A and B in the only "A and B", "A or B" or "A vs B" of a text, each a word or a name."""
    tokens = Tokens.of(text)
    joints = [place for place, word in enumerate(tokens.lower) if word in ("and", "or", "vs", "versus", "&")]
    if len(joints) != 1:
        return None
    (joint,) = joints
    if tokens.lower_at(joint - 1) == "/" or tokens.lower_at(joint + 1) in (".", "/", ""):
        return None
    start, stop = _names_around(tokens, joint)
    if start == joint or stop == joint + 1:
        start, stop = joint - 1, joint + 2
        if not _are_like_words(tokens, start, stop - 1):
            return None
    elif (
        tokens.lower_at(start - 1) in DETERMINERS
        or _is_part_of_name(tokens, start)
        or _is_open(tokens, (start, joint), (joint + 1, stop))
    ):
        return None
    listed_words = tokens.lower[start:joint] + tokens.lower[joint + 1 : stop]
    if any(word[0].isdigit() or (len(word) == 1 and word != "c") or word in NOT_LISTED for word in listed_words):
        return None
    return tokens.exchange((start, joint), (joint + 1, stop)) if _is_bounded(tokens, start, stop) else None


def _names_around(tokens: Tokens, joint: int) -> tuple[int, int]:
    """Return where the name before a joint begins and where the one behind it ends."""
    start, stop = joint, joint + 1
    while tokens.is_name(start - 1):
        start -= 1
    while tokens.is_name(stop):
        stop += 1
    return start, stop


def _are_like_words(tokens: Tokens, first: int, second: int) -> bool:
    """Whether two words, the first of them right behind a function word, can be listed in either order."""
    if tokens.lower_at(first - 1) not in BEFORE or not (tokens.is_content(first) and tokens.is_content(second)):
        return False
    one, other = tokens.lower[first], tokens.lower[second]
    if one in BASES or other in BASES or tokens.words[first][0].isupper() != tokens.words[second][0].isupper():
        return False
    return is_plural(one) == is_plural(other) and all(one.endswith(end) == other.endswith(end) for end in ("ing", "ed"))


def _is_open(tokens: Tokens, first: Span, second: Span) -> bool:
    """Whether a word at the end or the beginning of one of two names may belong to both, or to neither."""
    longer = (second[1] - second[0]) - (first[1] - first[0])
    if longer and tokens.lower[0] in AUXILIARIES:
        return True  # Is Sherlock Holmes INTJ or INTP
    return longer > 0 and is_plural(tokens.words[second[1] - 1]) and not is_plural(tokens.words[first[1] - 1])


def _is_part_of_name(tokens: Tokens, start: int) -> bool:
    """Whether a longer name goes on at a token, as in "Game of Thrones"."""
    return tokens.lower_at(start - 1) in ("of", "on", "in") and tokens.words[max(start - 2, 0)][0].isupper()


def _is_bounded(tokens: Tokens, start: int, stop: int) -> bool:
    """Whether what is before and behind a list cannot be part of it."""
    before, behind = tokens.lower_at(start - 1), tokens.lower_at(stop)
    if before == "and" or not (before in FUNCTION_WORDS or before in BASES or before in (":", ",")):
        return False
    if behind in ("-", "/", "'", "(", ",", '"', "&"):
        return False
    return not tokens.is_word(stop) or (behind in FUNCTION_WORDS and tokens.words[stop][0].islower())
