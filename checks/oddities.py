"""Signs that a text was damaged on its way, or is not what the others are."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache

from checks.finding import SHOWN

Kind = str
SUSPICIOUS = re.compile('[&<\x00-\x08\x0b-\x1f\x7f-\x9f\u00c2\u00c3\u00e2\ufffd]|""|\\\\|-[LR][RSC]B-|``')
KINDS: dict[Kind, re.Pattern[str]] = {
    "html": re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{2,6}|#x[0-9a-fA-F]{2,5});|</?[a-zA-Z][a-zA-Z0-9]*(?:\s[^<>]*)?/?>"),
    "mojibake": re.compile("\ufffd|[\u00c2\u00c3][\u0080-\u00bf]|\u00e2[\u0080-\u009f\u20ac\u201a-\u2122]|[\x80-\x9f]"),
    "escapes": re.compile(r'""|\\/|\\[nrt"\'](?![a-zA-Z])|-[LR][RSC]B-|``'),
    "control characters": re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"),
}
SAME_SCRIPT = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "KATAKANA-HIRAGANA": "CJK", "FULLWIDTH": "LATIN"}
LOOKED_AT = 200  # characters of a text of which the script is looked up


class Oddities:
    """Counts rows by what is odd about their texts, and keeps the first few of each kind.

    Args:
        special: Tokens that mean something to the model, such as `[SEP]`.
    """

    def __init__(self, special: Sequence[str]) -> None:
        self._special = special
        self._rows = 0
        self.counts = Counter[Kind]()
        self.first: defaultdict[Kind, list[int]] = defaultdict(list)
        self.scripts = Counter[str]()
        self._first_of_script: defaultdict[str, list[int]] = defaultdict(list)

    def count(self, examples: Sequence[tuple[str, ...]]) -> None:
        """Count the next rows."""
        for texts in examples:
            for kind in {kind for text in texts for kind in self._kinds(text)}:
                self._keep(kind)
            script = find_script(" ".join(texts))
            self.scripts[script] += 1
            if len(self._first_of_script[script]) < SHOWN:
                self._first_of_script[script].append(self._rows)
            self._rows += 1

    @property
    def main_script(self) -> str:
        """The script of most rows; empty where no text has a letter."""
        return max((script for script in self.scripts if script), key=self.scripts.__getitem__, default="")

    def rows_of_script(self, script: str) -> list[int]:
        """Return the first few rows of a script."""
        return self._first_of_script[script]

    def _keep(self, kind: Kind) -> None:
        self.counts[kind] += 1
        if len(self.first[kind]) < SHOWN:
            self.first[kind].append(self._rows)

    def _kinds(self, text: str) -> list[Kind]:
        found = [kind for kind, pattern in KINDS.items() if pattern.search(text)] if SUSPICIOUS.search(text) else []
        if any(token in text for token in self._special):
            found.append("special tokens")
        return found


def find_script(text: str) -> str:
    """Return the script of most letters of a text; empty if it has none.

    Example:
        >>> find_script("Where can I find 한글 subtitles?"), find_script("где это?"), find_script("12 + 3")
        ('LATIN', 'CYRILLIC', '')
    """
    if text.isascii():
        return "LATIN" if any(map(str.isalpha, text)) else ""
    counts = Counter(filter(None, map(script_of, text[:LOOKED_AT])))
    return counts.most_common(1)[0][0] if counts else ""


@cache
def script_of(character: str) -> str:
    """Return the script of a letter, by the first word of its Unicode name; empty for anything else."""
    if not character.isalpha():
        return ""
    first = unicodedata.name(character, "").partition(" ")[0]
    return SAME_SCRIPT.get(first, first)
