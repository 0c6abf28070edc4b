"""Predicted scores against true ones."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from figures.canvas import COLOURS, INK, new_axes, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_POINTS = 3000  # above it the plane is cut into hexagons: a page with one path per point would be slow


@dataclass(frozen=True)
class RegressionLine:
    """The least-squares line of prediction on label.

    Args:
        slope: Predicted label units a label unit; 1 where the whole range is used.
        intercept: Prediction at label 0, label units.
    """

    slope: float
    intercept: float


def fit_line(labels: NDArray[np.float64], predictions: NDArray[np.float64]) -> RegressionLine | None:
    """Fit a line by least squares; None where all labels are equal.

    Example:
        >>> fit_line(np.array([0.0, 1.0, 2.0]), np.array([1.0, 1.5, 2.0]))
        RegressionLine(slope=0.5, intercept=1.0)
    """
    from scipy.stats import linregress

    if len(labels) < 2 or np.ptp(labels) == 0:
        return None
    found = linregress(labels, predictions)
    return RegressionLine(float(found.slope), float(found.intercept))


@styled
def draw_scatter(labels: NDArray[np.float64], predictions: NDArray[np.float64], *, low: float, high: float) -> "Figure":
    """Draw prediction against label, with the diagonal and the regression line.

    Args:
        labels: True scores, (n,).
        predictions: Predicted scores, (n,).
        low: Smallest score, label units.
        high: Largest score, label units.
    """
    figure, (axes,) = new_axes(width=4.4, height=4.2)
    _draw_points(axes, labels, predictions)
    ends = np.array([low, high])
    axes.plot(ends, ends, color=INK, linestyle=":", linewidth=1, label="perfect")
    line = fit_line(labels, predictions)
    if line is not None:
        axes.plot(
            ends,
            line.intercept + line.slope * ends,
            color=COLOURS[1],
            linewidth=2,
            label=f"{line.slope:.2f} · label + {line.intercept:.2f}",
        )
    margin = 0.03 * (high - low)
    finite = predictions[np.isfinite(predictions)]
    bottom, top = finite.min(initial=low), finite.max(initial=high)  # a score may lie outside the range
    axes.set(
        xlabel="label", ylabel="prediction", xlim=(low - margin, high + margin), ylim=(bottom - margin, top + margin)
    )
    axes.legend(frameon=False, loc="upper left", fontsize=9, labelcolor=INK)
    return figure


@styled
def draw_residuals(
    labels: NDArray[np.float64], predictions: NDArray[np.float64], *, low: float, high: float
) -> "Figure":
    """Draw prediction minus label: against the label, and as a histogram.

    Args:
        labels: True scores, (n,).
        predictions: Predicted scores, (n,).
        low: Smallest score, label units.
        high: Largest score, label units.
    """
    residuals = predictions - labels
    figure, (upper, lower) = new_axes(width=4.4, height=2.4, rows=2)
    _draw_points(upper, labels, residuals)
    upper.axhline(0, color=INK, linestyle=":", linewidth=1)
    upper.set(xlabel="label", ylabel="prediction − label")
    finite = residuals[np.isfinite(residuals)]
    largest = float(np.abs(finite).max(initial=0))
    most = max(largest, high - low)
    lower.hist(finite, bins=np.linspace(-most, most, 41).tolist(), color=COLOURS[0])
    lower.axvline(0, color=INK, linestyle=":", linewidth=1)
    most = max(largest * 1.05, (high - low) / 20)
    lower.set(xlabel="prediction − label", ylabel="examples", xlim=(-most, most))
    return figure


def _draw_points(axes: "Axes", x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    if len(x) > MOST_POINTS:
        axes.hexbin(x, y, gridsize=40, mincnt=1, bins="log", cmap="Blues", linewidths=0.1)
    else:
        axes.plot(x, y, "o", markersize=3.5, alpha=0.45, markeredgewidth=0, color=COLOURS[0])
