"""How often each class occurs and is predicted."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.canvas import COLOURS, INK, new_axes, styled
from figures.shown import LONGEST_CLASS, shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled
def draw_balance(shares: Mapping[str, NDArray[Any]], names: Sequence[str]) -> "Figure":
    """Draw the shares of the classes as bars side by side.

    Args:
        shares: Share of each class, (C,), by what is counted: train, dev, predicted.
        names: The classes, or the ranges of a score, [C].
    """
    wide = max(4.6, min(9.0, 0.5 * len(names) + 3.2))
    figure, (axes,) = new_axes(width=wide, height=3.2)
    width = 0.8 / max(len(shares), 1)
    places = np.arange(len(names))
    for number, (what, values) in enumerate(shares.items()):
        offset = (number - (len(shares) - 1) / 2) * width
        axes.bar(places + offset, values, width=width * 0.92, label=what, color=COLOURS[number])
    shown = [shorten(name, LONGEST_CLASS) for name in names]
    is_crowded = max(map(len, shown)) * len(shown) > 40
    axes.set_xticks(places, shown, rotation=45 if is_crowded else 0, ha="right" if is_crowded else "center")
    axes.set_ylabel("share of examples")
    figure.legend(frameon=False, fontsize=9, labelcolor=INK, loc="outside upper center", ncols=max(len(shares), 1))
    return figure
