"""How values change over training."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from figures.canvas import COLOURS, INK, new_axes, styled
from figures.shown import LONGEST_NAME, shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Curve:
    """One line.

    Args:
        name: What it shows.
        steps: Optimiser steps, rising.
        values: Value at each step.
    """

    name: str
    steps: Sequence[int]
    values: Sequence[float]


@styled
def draw_curves(panels: Sequence[tuple[str, Sequence[Curve]]]) -> "Figure":
    """Draw panels of lines over the optimiser steps, one below the other.

    Args:
        panels: Title of the y axis and the lines of each panel; few points get markers. Where there are more lines than
            colours, the first and the last one are named.
    """
    figure, axes = new_axes(width=4.6, height=2.2, rows=len(panels))
    for panel, (title, curves) in zip(axes, panels, strict=True):
        for number, curve in enumerate(curves):
            style = "o-" if len(curve.steps) <= 25 else "-"
            colour = COLOURS[number % len(COLOURS)]
            panel.plot(
                curve.steps,
                curve.values,
                style,
                label=shorten(curve.name, LONGEST_NAME),
                color=colour,
                markersize=4,
                linewidth=1.5,
            )
        panel.set(xlabel="optimiser step", ylabel=title)
        panel.ticklabel_format(axis="x", style="plain")
        if len(curves) > 1:
            lines = panel.get_lines()
            heading = f"first and last of {len(lines)}" if len(lines) > len(COLOURS) else None
            named = lines if heading is None else [lines[0], lines[-1]]
            panel.legend(handles=named, title=heading, frameon=False, fontsize=9, labelcolor=INK)
        panel.locator_params(axis="x", nbins=5)
    return figure
