"""Numbers: 20 kg in 10 days is not 10 kg in 20 days."""

import re

from augmentation.lexicon import listed
from augmentation.tokens import Edit, Tokens

NUMBER = re.compile(r"(?<![\w.,/$£€₹:+-])\d{1,3}(?![\w/:+'’\"-]|[.,]\d|(?:st|nd|rd|th)\b)")
JOINED = re.compile(
    r"^\s*(?:%|years?|months?|days?|rs\.?|am|pm)?\s*(?:and|or|to|vs\.?|[-,/x*+&=]|or/and|than)\s*\W*$", re.IGNORECASE
)
FIXED = listed(  # where numbers are dates, names or parts of a sum
    "jan feb mar apr jun jul aug sep oct nov dec january february march april may june july august september october "
    "november december date dating marry class fortune windows feet foot inches turning dimensions same difference "
    "between sum divided multiplied vs compare ratio + ="
)
WITH_AN = re.compile(r"8|11$|18$|8\d$")  # eight, eleven, eighteen, eighty-one
MOST_APART = 4  # times; in each other's place such numbers are still likely


def swap_numbers(text: str) -> Edit | None:
    """Swap the only two numbers of a text that are no range, list or sum."""
    found = [*NUMBER.finditer(text)]
    if len(found) != 2 or len(re.findall(r"\d+", text)) != 2 or not FIXED.isdisjoint(Tokens.of(text).lower):
        return None
    one, other = found
    between = text[one.end() : other.start()]
    if JOINED.match(between) or "or" in Tokens.of(between).lower or not re.search(r"[A-Za-z]{3}", between):
        return None
    low, high = sorted(int(each.group()) for each in found)
    if low < 2 or high > MOST_APART * low or low == high:
        return None
    if any(_clash(text[: place.start()], number.group()) for place, number in ((one, other), (other, one))):
        return None
    changed = f"{text[: one.start()]}{other.group()}{between}{one.group()}{text[other.end() :]}"
    return Edit(changed, frozenset((one.group(), other.group())))


def _clash(before: str, number: str) -> bool:
    """Whether a text ends with an article that does not go with a number."""
    article = re.search(r"\b(an?) $", before, re.IGNORECASE)
    return article is not None and (article[1].lower() == "an") != bool(WITH_AN.match(number))
