"""Which class is taken for which."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.canvas import INK, new_axes, styled
from figures.shown import LONGEST_CLASS, MOST_CLASSES, pick_classes, shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure


LABELLED_CELLS = 12  # classes up to which a cell has room for its numbers


@dataclass(frozen=True)
class Confusions:
    """How often each class was predicted as each; of many classes, those that take part in most mistakes.

    Args:
        classes: Numbers of the classes, rising, (K,).
        counts: True class by predicted class, (K, K).
        totals: Examples of each true class, also of those predicted as a class that is not among the K, (K,).
        num_classes: Number of all classes (C).
    """

    classes: NDArray[np.int64]
    counts: NDArray[np.int64]
    totals: NDArray[np.int64]
    num_classes: int

    @property
    def is_part(self) -> bool:
        """Whether there are more classes than these."""
        return len(self.classes) < self.num_classes

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each true class's examples, (K, K)."""
        shares: NDArray[np.float64] = self.counts / np.maximum(self.totals, 1)[:, None]
        return shares


def count_confusions(
    labels: NDArray[Any], predictions: NDArray[Any], num_classes: int, *, most: int = MOST_CLASSES
) -> Confusions:
    """Count how often each class was predicted as each; takes O(n + C + most²), however many classes there are.

    Args:
        labels: Class indices, (n,).
        predictions: Class indices, (n,).
        num_classes: Number of classes (C).
        most: How many classes to count at the most: those with the most mistakes, as label or as prediction.

    Example:
        >>> count_confusions(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).counts.tolist()
        [[1, 1], [0, 1]]
    """
    true, predicted = labels.astype(np.int64), predictions.astype(np.int64)
    wrong = np.concatenate([true[true != predicted], predicted[true != predicted]])
    classes = pick_classes(np.bincount(wrong, minlength=num_classes), most)
    place = np.full(num_classes, -1)
    place[classes] = np.arange(len(classes))
    rows, columns = place[true], place[predicted]
    cells = (rows * len(classes) + columns)[(rows >= 0) & (columns >= 0)]
    counts = np.bincount(cells, minlength=len(classes) ** 2).reshape(len(classes), len(classes))
    return Confusions(classes, counts, np.bincount(true, minlength=num_classes)[classes], num_classes)


def most_frequent_confusions(
    labels: NDArray[Any], predictions: NDArray[Any], most: int
) -> list[tuple[tuple[int, int], int]]:
    """Return the most frequent mistakes, `((label, prediction), count)`, the most frequent first.

    Args:
        labels: Class indices, (n,).
        predictions: Class indices, (n,).
        most: How many to return at the most.

    Example:
        >>> most_frequent_confusions(np.array([0, 0, 0, 1]), np.array([2, 2, 1, 1]), 2)
        [((0, 2), 2), ((0, 1), 1)]
    """
    wrong = labels != predictions
    pairs = zip(labels[wrong].astype(int).tolist(), predictions[wrong].astype(int).tolist(), strict=True)
    return Counter(pairs).most_common(most)


@styled
def draw_confusion(confusions: Confusions, class_names: Sequence[str]) -> "Figure":
    """Draw a confusion matrix; each cell is shaded and labelled with its share of its row, the count below.

    Args:
        confusions: What was counted.
        class_names: All classes, [C].
    """
    shares, shown = confusions.shares, len(confusions.classes)
    side = min(8.0, max(3.6, 0.72 * shown + 1.4))
    figure, (axes,) = new_axes(width=side + 0.6, height=side)
    ends = np.arange(shown + 1) - 0.5
    axes.pcolormesh(ends, ends, shares, cmap="Blues", vmin=0, vmax=1)  # rectangles; an image would blur when enlarged
    axes.set(aspect="equal")
    axes.invert_yaxis()
    names = [shorten(class_names[number], LONGEST_CLASS) for number in confusions.classes]
    long_names = max(map(len, names)) > 6
    axes.set_xticks(range(shown), names, rotation=45 if long_names else 0, ha="right" if long_names else "center")
    axes.set_yticks(range(shown), names)
    axes.set_xlabel("predicted", color=INK)
    axes.set_ylabel("true", color=INK)
    axes.tick_params(length=0, colors=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if confusions.is_part:
        axes.set_title(f"the {shown} most confused of {confusions.num_classes:,} classes", color=INK, fontsize=10)
    if shown <= LABELLED_CELLS:
        for (row, column), share in np.ndenumerate(shares):
            colour = "white" if share > 0.55 else "#1d2733"
            text = f"{share:.0%}\n{confusions.counts[row, column]}"
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)
    return figure
