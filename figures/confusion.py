"""Which class is taken for which."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.canvas import INK, new_axes, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def count_confusions(labels: NDArray[Any], predictions: NDArray[Any], num_classes: int) -> NDArray[np.int64]:
    """Count how often each class (row) was predicted as each (column), (C, C).

    Args:
        labels: Class indices, (n,).
        predictions: Class indices, (n,).
        num_classes: Number of classes (C).

    Example:
        >>> count_confusions(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
        [[1, 1], [0, 1]]
    """
    cells = labels.astype(np.int64) * num_classes + predictions.astype(np.int64)
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


@styled
def draw_confusion(counts: NDArray[np.int64], class_names: Sequence[str]) -> "Figure":
    """Draw a confusion matrix; each cell is shaded and labelled with its share of its row, the count below.

    Args:
        counts: True class by predicted class, (C, C).
        class_names: The classes, [C].
    """
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    num_classes = len(class_names)
    side = min(8.0, max(3.6, 0.72 * num_classes + 1.4))
    figure, (axes,) = new_axes(width=side + 0.6, height=side)
    ends = np.arange(num_classes + 1) - 0.5
    axes.pcolormesh(ends, ends, shares, cmap="Blues", vmin=0, vmax=1)  # rectangles; an image would blur when enlarged
    axes.set(aspect="equal")
    axes.invert_yaxis()
    names = [_shorten(name) for name in class_names]
    long_names = max(map(len, names)) > 6
    axes.set_xticks(range(num_classes), names, rotation=45 if long_names else 0, ha="right" if long_names else "center")
    axes.set_yticks(range(num_classes), names)
    axes.set_xlabel("predicted", color=INK)
    axes.set_ylabel("true", color=INK)
    axes.tick_params(length=0, colors=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if num_classes <= 12:
        for (row, column), share in np.ndenumerate(shares):
            colour = "white" if share > 0.55 else "#1d2733"
            text = f"{share:.0%}\n{counts[row, column]}"
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)
    return figure


def _shorten(name: str, most: int = 14) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
