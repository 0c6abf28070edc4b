"""Names that somebody may have meant."""

import difflib
from collections.abc import Iterable


def did_you_mean(flag: str | None) -> str:
    """Return the question whether a name was meant, in quotes where it has blanks around it; nothing without one."""
    if not flag:
        return ""
    return f" (did you mean {flag if flag == flag.strip() else repr(flag)}?)"


def suggest(name: str, choices: Iterable[str]) -> str:
    """Return the question whether the choice that is written most alike was meant; nothing if none is alike."""
    by_lower = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(name.lower(), list(by_lower), n=1)
    return did_you_mean(by_lower[close[0]] if close else None)
