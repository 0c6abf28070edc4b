"""How numbers are written in the cells of a table."""

import math
from collections.abc import Sequence
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
    return "undefined" if math.isnan(value) else f"{value:.4f}".replace("0.", ".", 1)


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


def format_interval(interval: Interval | None) -> str:
    """Return a difference and its interval to three digits.

    Example:
        >>> format_interval(Interval(0.0251, 0.016, 0.034))
        '+.025 [+.016, +.034]'
    """
    if interval is None:
        return ""
    if math.isnan(interval.estimate):
        return "undefined"
    if math.isnan(interval.low):
        return f"{interval.estimate:+.3f} [undefined]".replace("0.", ".", 1)
    estimate, low, high = (
        f"{value:+.3f}".replace("0.", ".", 1) for value in (interval.estimate, interval.low, interval.high)
    )
    return f"{estimate} [{low}, {high}]"
