"""When two texts are equal: whatever their case, white space and punctuation."""

import re
import unicodedata

# Punctuation; what may be all that differs, as in C, C# and C++, $5 and 5, stays.
NO_WORD = re.compile(
    r"[\s\x00-\x1f!\"'(),\-./:;?\[\\\]^_`{|}~*\xa1\xab\xad\xb4\xb7\xbb\xbf\u2000-\u206f\u3000-\u303f\ufeff]+"
)
UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff"  # Thai, Lao, kana and Han: each letter counts as a word
WITHOUT_SPACES = re.compile(f"([{UNSPACED}])")


def normalise(text: str) -> str:
    """Return the words of a text in lower case, without punctuation; of a text without words the text itself.

    Example:
        >>> normalise('  "Hey", ARNOLD!'), normalise("?!"), normalise("I’m"), normalise("I'm"), normalise("C++?")
        ('hey arnold', '?!', 'i m', 'i m', 'c++')
    """
    folded = text.casefold()
    if not folded.isascii():
        folded = WITHOUT_SPACES.sub(r" \1 ", unicodedata.normalize("NFKC", folded))
    return NO_WORD.sub(" ", folded).strip() or text.strip()
