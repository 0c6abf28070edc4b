"""Whether a model is right as often as it claims."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from figures.canvas import COLOURS, INK, new_axes, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NUM_BINS = 10


@dataclass(frozen=True)
class Reliability:
    """Confidence and accuracy in bins of equal width over [0, 1]; a bin holds its upper end.

    Args:
        counts: Examples of each bin, (bins,).
        confidence: Mean probability of the predicted class, (bins,); NaN in an empty bin.
        accuracy: Share of right predictions, (bins,); NaN in an empty bin.
    """

    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def expected_error(self) -> float:
        """Expected calibration error: mean of |accuracy - confidence| over the examples; NaN without any."""
        total = int(self.counts.sum())
        gaps = np.abs(np.nan_to_num(self.accuracy - self.confidence))
        return float(self.counts @ gaps) / total if total else float("nan")


def bin_confidence(
    confidence: NDArray[np.float64], is_right: NDArray[np.bool_], *, num_bins: int = NUM_BINS
) -> Reliability:
    """Sort predictions into bins of equal width by their confidence.

    Args:
        confidence: Probability of the predicted class, (n,).
        is_right: Whether the prediction is the label, (n,).
        num_bins: Number of bins over [0, 1].

    Source: Guo et al. 2017, section 2, https://arxiv.org/abs/1706.04599
    """
    number = np.clip(np.ceil(confidence * num_bins).astype(np.int64) - 1, 0, num_bins - 1)
    counts = np.bincount(number, minlength=num_bins)
    with np.errstate(invalid="ignore"):
        return Reliability(
            counts=counts,
            confidence=np.bincount(number, weights=confidence, minlength=num_bins) / counts,
            accuracy=np.bincount(number, weights=is_right.astype(np.float64), minlength=num_bins) / counts,
        )


@styled
def draw_reliability(reliability: Reliability) -> "Figure":
    """Draw accuracy over confidence with the diagonal, and the number of examples in each bin."""
    num_bins = len(reliability.counts)
    left_ends = np.arange(num_bins) / num_bins
    figure, (upper, lower) = new_axes(width=4.4, height=2.4, rows=2)
    filled = reliability.counts > 0
    upper.bar(
        left_ends[filled], reliability.accuracy[filled], width=1 / num_bins, align="edge", color=COLOURS[0], alpha=0.55
    )
    upper.plot(reliability.confidence[filled], reliability.accuracy[filled], "o-", color=COLOURS[1], markersize=4)
    upper.plot([0, 1], [0, 1], color=INK, linestyle=":", linewidth=1)
    upper.set(ylabel="accuracy", xlim=(0, 1), ylim=(0, 1))
    lower.bar(left_ends, reliability.counts, width=1 / num_bins, align="edge", color=COLOURS[0])
    lower.set(xlabel="confidence", ylabel="examples", xlim=(0, 1))
    return figure
