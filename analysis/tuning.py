"""The threshold of each label with the best F1."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from analysis.selection import split_halves

Floats = NDArray[np.float64]


def tune_threshold(probabilities: Floats, is_yes: NDArray[np.bool_]) -> float:
    """Return the probability above which a label is best predicted, by its F1; of several, the one nearest to 0.5.

    It lies midway between two rows; 0.5 where no row has the label.

    Args:
        probabilities: Probability of the label, (n,).
        is_yes: Whether the row has it, (n,).

    Example:
        >>> tune_threshold(np.array([0.1, 0.3, 0.4, 0.2]), np.array([False, True, True, False]))
        0.25
    """
    if not is_yes.any():
        return 0.5
    order = np.argsort(-probabilities, kind="stable")
    descending, hits = probabilities[order], is_yes[order].cumsum()
    ends = np.append(np.flatnonzero(np.diff(descending)), len(descending) - 1)
    cuts = (descending[ends] + np.append(descending[ends[1:]], 0.0)) / 2
    scores = 2 * hits[ends] / (ends + 1 + hits[-1])
    best = np.flatnonzero(scores >= scores.max() - 1e-12)
    return float(cuts[best[np.abs(cuts[best] - 0.5).argmin()]])


def tune_thresholds(probabilities: Floats, labels: Floats) -> Floats:
    """Return the threshold of each label, (C,), from probabilities and labels, (n, C) each."""
    pairs = zip(probabilities.T, labels.T, strict=True)
    return np.array([tune_threshold(shares, values == 1) for shares, values in pairs])


def predict_held_out(
    probabilities: Floats,
    labels: Floats,
    *,
    seed: int,
    tune: Callable[[Floats, Floats], Floats] = tune_thresholds,
) -> Floats:
    """Predict each half of the rows with the thresholds of the other half, (n, C).

    Args:
        probabilities: (n, C).
        labels: (n, C).
        seed: Seed of the halves.
        tune: Returns thresholds (C,).
    """
    predictions = np.zeros_like(labels)
    first, second = split_halves(len(labels), seed=seed)
    for own, other in ((first, second), (second, first)):
        predictions[own] = probabilities[own] > tune(probabilities[other], labels[other])
    return predictions
