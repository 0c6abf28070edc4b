"""Result tables: one list of cells, shown on a terminal, as Markdown or as JSON."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table as RichTable

from experiments.statistics import Interval


@dataclass(frozen=True)
class Table:
    """A titled table of text cells.

    Args:
        title: Its title.
        columns: Heads of the columns.
        rows: Cells, one a column.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def to_rich(self) -> RichTable:
        """Return it for a terminal."""
        table = RichTable(title=self.title, title_justify="left")
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="left" if number == 0 else "right", no_wrap=number == 0)
        for row in self.rows:
            table.add_row(*row)
        return table

    def to_markdown(self) -> str:
        """Return it as Markdown."""
        rule = ["---", *["---:"] * (len(self.columns) - 1)]
        lines = [self.columns, tuple(rule), *self.rows]
        return "\n".join([f"**{self.title}**", "", *(f"| {' | '.join(line)} |" for line in lines), ""])


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
    mean = sum(scores) / len(scores)
    if len(scores) < 2 or math.isnan(mean):
        return format_score(mean)
    spread = math.sqrt(sum((score - mean) ** 2 for score in scores) / (len(scores) - 1))
    return f"{format_score(mean)} ± {format_score(spread)}"


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
