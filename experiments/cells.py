"""How numbers are written in the cells of a table."""

import math
import re
from collections.abc import Callable, Sequence
from statistics import fmean, stdev

from experiments.statistics import Interval


def format_score(value: float | None) -> str:
    """Return a score as the paper prints it: four digits, no leading 0.

    Example:
        >>> format_score(0.4913), format_score(-0.02), format_score(None)
        ('.4913', '-.0200', '')
    """
    if value is None:
        return ""
    return "undefined" if math.isnan(value) else without_zero(f"{value:.4f}")


def without_zero(text: str) -> str:
    """Return a number without a leading 0 before the point.

    Example:
        >>> without_zero("-0.25"), without_zero("-10.25")
        ('-.25', '-10.25')
    """
    return re.sub(r"\b0\.", ".", text, count=1)


def format_spread(scores: Sequence[float]) -> str:
    """Return the mean over seeds and, for two or more, the standard deviation between them.

    Example:
        >>> format_spread([0.5, 0.52]), format_spread([0.5])
        ('.5100 ± .0141', '.5000')
    """
    mean = fmean(scores)
    if len(scores) < 2 or math.isnan(mean):
        return format_score(mean)
    return f"{format_score(mean)} ± {format_score(stdev(scores))}"


def format_score_interval(interval: Interval | None) -> str:
    """Return a score and its interval; the score alone where it has none.

    Example:
        >>> format_score_interval(Interval(0.5, 0.4, 0.6)), format_score_interval(Interval(0.5, math.nan, math.nan))
        ('.5000 [.4000, .6000]', '.5000')
    """
    if interval is None:
        return ""
    return format_score(interval.estimate) if math.isnan(interval.low) else _bracket(interval, format_score)


def format_interval(interval: Interval | None) -> str:
    """Return a difference and its interval to three digits.

    Example:
        >>> format_interval(Interval(0.0251, 0.016, 0.034)), format_interval(Interval(0.02, math.nan, math.nan))
        ('+.025 [+.016, +.034]', '+.020 [undefined]')
    """
    if interval is None:
        return ""
    if math.isnan(interval.estimate):
        return "undefined"
    return f"{_signed(interval.estimate)} [undefined]" if math.isnan(interval.low) else _bracket(interval, _signed)


def _bracket(interval: Interval, write: Callable[[float], str]) -> str:
    return f"{write(interval.estimate)} [{write(interval.low)}, {write(interval.high)}]"


def _signed(value: float) -> str:
    return without_zero(f"{value:+.3f}")
