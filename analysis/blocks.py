"""What a report is made of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from analysis.table import Table
from analysis.words import Part
from figures import to_svg


@dataclass(frozen=True)
class Sentence:
    """A sentence of plain text."""

    text: str
    kind: Literal["sentence"] = "sentence"


@dataclass(frozen=True)
class Picture:
    """A figure as inline SVG.

    Args:
        title: What it shows.
        svg: The `<svg>` element as `to_svg` made it.
        note: How to read it.
    """

    title: str
    svg: str
    note: str = ""
    kind: Literal["picture"] = "picture"


@dataclass(frozen=True)
class ShownExample:
    """An example with its texts.

    Args:
        id: Its id.
        texts: Its texts, each cut into parts with whether both texts share it.
        facts: What is said about it, by name.
    """

    id: str
    texts: Sequence[Sequence[Part]]
    facts: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class ExampleList:
    """Examples to read."""

    title: str
    examples: Sequence[ShownExample]
    note: str = ""
    kind: Literal["examples"] = "examples"


@dataclass(frozen=True)
class Code:
    """A text to be shown as it is, folded away."""

    title: str
    text: str
    kind: Literal["code"] = "code"


Block = Sentence | Table | Picture | ExampleList | Code


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Args:
        title: Its title.
        anchor: Its place in links; unique in the page.
        blocks: What it shows, in order.
        parts: Sections inside it.
    """

    title: str
    anchor: str
    blocks: Sequence[Block] = ()
    parts: "Sequence[Section]" = field(default=())


def picture(figure: object, *, title: str, name: str, label: str, note: str = "") -> Picture:
    """Turn a matplotlib figure into a block.

    Args:
        figure: The figure.
        title: Its title.
        name: Unique in the page.
        label: What it shows, for readers who do not see it.
        note: How to read it.
    """
    return Picture(title, to_svg(figure, name=name, label=label), note)  # type: ignore[arg-type]


def number(value: float | None, digits: int = 4) -> str:
    """Write a number with a fixed count of decimals; an undefined one says so.

    Example:
        >>> number(0.5), number(None), number(1234.5, 1)
        ('0.5000', 'undefined', '1,234.5')
    """
    return "undefined" if value is None or value != value else f"{value:,.{digits}f}"


def span(interval: tuple[float, float] | None) -> str:
    """Write an interval."""
    return "" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"
