"""The tokens of a text with their places, and texts whose parts change places."""

import re
from dataclasses import dataclass
from functools import lru_cache

from augmentation.lexicon import DETERMINERS, FUNCTION_WORDS, PLURALS, SINGULARS

TOKEN = re.compile(r"\w+(?:[.'’&/+-]\w+)*[+#]*|[^\w\s]")
Span = tuple[int, int]  # from a token up to another
ENDS = frozenset("?.!")
LONGEST = 4  # words of a phrase, beside its determiner
VOWELS = "aeiou"


@dataclass(frozen=True)
class Edit:
    """A text after a rule.

    Args:
        text: The text.
        moved: The parts that changed places, in lower case.
    """

    text: str
    moved: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Tokens:
    """The tokens of a text: words and single marks.

    Args:
        text: The text.
    """

    text: str
    words: tuple[str, ...]
    lower: tuple[str, ...]
    places: tuple[tuple[int, int], ...]

    @classmethod
    @lru_cache(maxsize=8)  # each rule asks for those of the same text
    def of(cls, text: str) -> "Tokens":
        """Return the tokens of a text."""
        found = [*TOKEN.finditer(text)]
        words = tuple(each.group() for each in found)
        return cls(text, words, tuple(word.lower().replace("’", "'") for word in words), tuple(x.span() for x in found))

    def __len__(self) -> int:
        return len(self.words)

    def cut(self, start: int, stop: int) -> str:
        """Return the text from one token up to, and without, another."""
        return self.text[self.places[start][0] : self.places[stop - 1][1]] if stop > start else ""

    def lower_at(self, place: int) -> str:
        """Return a token in lower case; empty outside of the text."""
        return self.lower[place] if 0 <= place < len(self) else ""

    def is_word(self, place: int) -> bool:
        """Whether there is a word, and no mark, at a place."""
        return bool(self.lower_at(place)) and self.lower[place][0].isalnum()

    def is_content(self, place: int) -> bool:
        """Whether there is a word at a place that is no function word."""
        if not self.is_word(place):
            return False
        is_acronym = len(self.words[place]) > 1 and self.words[place].isupper()  # US, IT
        return is_acronym or self.lower[place] not in FUNCTION_WORDS

    def is_name(self, place: int) -> bool:
        """Whether a word inside of a sentence begins with a capital."""
        inside = place > 0 and self.words[place - 1] not in ENDS and self.words[place - 1] not in ('"', ":", "(")
        return inside and self.is_content(place) and self.words[place][0].isupper()

    def phrase_from(self, start: int) -> int:
        """Return where the phrase that begins at a token ends; `start` where there is none.

        It is a determiner, if any, and content words up to the next function word or mark.
        """
        stop = start + (self.lower_at(start) in DETERMINERS)
        first = stop
        while self.is_content(stop):
            stop += 1
        return stop if 0 < stop - first <= LONGEST else start

    def phrase_to(self, stop: int) -> int:
        """Return where the phrase that ends before a token begins; `stop` where there is none."""
        start = stop
        while self.is_content(start - 1):
            start -= 1
        if not 0 < stop - start <= LONGEST:
            return stop
        return start - (self.lower_at(start - 1) in DETERMINERS)

    def is_end(self, place: int) -> bool:
        """Whether the text ends at a place, but for marks."""
        return not any(self.is_word(each) for each in range(place, len(self)))

    def have_like_articles(self, one: Span, other: Span) -> bool:
        """Whether two parts both begin with a determiner, or neither does."""
        return (self.lower[one[0]] in DETERMINERS) == (self.lower[other[0]] in DETERMINERS)

    def replace(self, place: int, word: str) -> Edit:
        """Return the text with another word at a place."""
        start, stop = self.places[place]
        return Edit(f"{self.text[:start]}{word}{self.text[stop:]}")

    def insert(self, place: int, word: str) -> Edit:
        """Return the text with a word more, before a place."""
        start = self.places[place][0]
        return Edit(f"{self.text[:start]}{word} {self.text[start:]}")

    def remove(self, start: int, stop: int) -> Edit:
        """Return the text without the tokens from one up to another, behind which more follows."""
        return Edit(f"{self.text[: self.places[start][0]]}{self.text[self.places[stop][0] :]}")

    def exchange(self, first: Span, second: Span) -> Edit | None:
        """Return the text with two parts in each other's place, each from a token up to another; None if ungrammatical.

        Args:
            first: The earlier part.
            second: The later part.
        """
        (a, b), (c, d) = first, second
        if not 0 <= a < b <= c < d <= len(self):
            return None
        one, other = self.cut(a, b), self.cut(c, d)
        if one.lower() == other.lower() or _clash(self.lower_at(a - 1), other) or _clash(self.lower_at(c - 1), one):
            return None
        moved = frozenset((one.lower(), other.lower()))
        if a == 0 or self.words[a - 1] in ENDS:
            if self.lower[a] not in FUNCTION_WORDS and self.lower[a] not in DETERMINERS:
                return None  # a name or not: its case does not tell
            one, other = decapitalise(one), capitalise(other)
        starts = self.places[a][0], self.places[b - 1][1], self.places[c][0], self.places[d - 1][1]
        text = self.text
        return Edit(f"{text[: starts[0]]}{other}{text[starts[1] : starts[2]]}{one}{text[starts[3] :]}", moved)


def _clash(before: str, phrase: str) -> bool:
    """Whether an article does not go with what follows it."""
    vowel = phrase[0].lower() in VOWELS
    return (before == "a" and vowel) or (before == "an" and not vowel)


def capitalise(text: str) -> str:
    """Return a text with a capital first letter."""
    return text[:1].upper() + text[1:]


def decapitalise(text: str) -> str:
    """Return a text with a small first letter, unless it begins with the pronoun I or a word of capitals."""
    head = re.match(r"\w+", text)
    word = head.group() if head else ""
    return text if word == "I" or (len(word) > 1 and word.isupper()) else text[:1].lower() + text[1:]


def is_plural(phrase: str) -> bool:
    """Whether a phrase looks plural.

    Example:
        >>> is_plural("rich men"), is_plural("glass"), is_plural("the Beatles"), is_plural("he")
        (True, False, True, False)
    """
    last = phrase.lower().split()[-1]
    if last in SINGULARS:
        return False
    return (
        last in PLURALS
        or (last.endswith("s") and not last.endswith(("ss", "us", "is", "'s", "ics", "ies")) and len(last) > 3)
        or last.endswith("ies")
    )


def bag(text: str) -> list[str]:
    """Return the words of a text in lower case, sorted, each as often as it is there."""
    return sorted(token.group().lower() for token in TOKEN.finditer(text) if token.group()[0].isalnum())
