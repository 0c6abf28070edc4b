"""Predictions less a part of what a shortcut model says, and the choice of the part."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.run import Predictions
from analysis.selection import first_metric, split_halves
from analysis.side_by_side import take

Floats = NDArray[np.float64]
FACTORS = np.linspace(0, 1, 21).round(2)


@dataclass(frozen=True)
class Standing:
    """The first metric of some predictions: of all rows, of those that the shortcut alone has right, and of the others.

    A score is right within a tenth of the range. Minus infinity where a metric is undefined.
    """

    every: float
    told: float
    untold: float


@dataclass(frozen=True)
class Corrected:
    """Predictions with a part of the shortcut's answers taken off.

    Args:
        factors: The parts: of the first half of the rows, chosen on the second, and the other way round; of all rows
            where it was given.
        predictions: The corrected predictions.
        before: How the run stands.
        after: How they stand.
    """

    factors: tuple[float, ...]
    predictions: Predictions
    before: Standing
    after: Standing


def subtract(predictions: Predictions, answers: Floats, factor: float) -> Predictions:
    """Return the predictions p - factor · b, where b is what a shortcut model says.

    Of scores it is p - factor · (b - mean of b). Probabilities are raised by the factor and scaled to sum to 1, which
    leaves their order as it is; they are no longer frequencies.

    Args:
        predictions: What a model predicted, p.
        answers: The shortcut's probabilities (n, C), or scores (n,).
        factor: 0 or more.

    Source: "Counterfactual inference" for NLU biases, EMNLP 2022, https://github.com/c4n/debias_nlu
    """
    shares = predictions.probabilities
    if shares is None:
        return replace(predictions, predictions=predictions.predictions - factor * (answers - answers.mean()))
    raised = shares + factor * (1 - answers)
    changed = raised / raised.sum(axis=1, keepdims=True)
    decided = predictions.task.labels.decide(torch.from_numpy(changed)).numpy().astype(np.float64)
    return replace(predictions, predictions=decided, probabilities=changed)


def measure_standing(predictions: Predictions, answers: Floats) -> Standing:
    """Score predictions over all rows, and apart where the shortcut alone is right and where it is not."""
    space = predictions.task.labels
    guessed = space.decide(torch.from_numpy(answers)).numpy().astype(np.float64)
    is_told = space.is_right(guessed, predictions.labels)
    groups = (np.flatnonzero(rows) for rows in (is_told, ~is_told))
    told, untold = (first_metric(take(predictions, rows.tolist())) if rows.size else -np.inf for rows in groups)
    return Standing(first_metric(predictions), told, untold)


def choose_factor(predictions: Predictions, answers: Floats, *, max_loss: float) -> float:
    """Return the part with which the rows score best that the shortcut alone has wrong; of equal ones the smallest.

    Args:
        predictions: What a model predicted.
        answers: What the shortcut says.
        max_loss: How much of the metric over all rows may be lost.
    """
    found = [measure_standing(subtract(predictions, answers, factor), answers) for factor in FACTORS]
    allowed = [one.untold if one.every >= found[0].every - max_loss else -np.inf for one in found]
    return float(FACTORS[int(np.argmax(allowed))])


def correct(
    predictions: Predictions, answers: Floats, *, max_loss: float, seed: int, factor: float | None = None
) -> Corrected:
    """Correct each half of the rows with the part that was chosen on the other half.

    Args:
        predictions: What a model predicted.
        answers: What the shortcut says.
        max_loss: See `choose_factor`.
        seed: Seed of the halves.
        factor: The part for all rows; None to choose.
    """
    changed, factors = (
        _cross(predictions, answers, split_halves(len(answers), seed=seed), max_loss)
        if factor is None
        else (subtract(predictions, answers, factor), (factor,))
    )
    before, after = (measure_standing(one, answers) for one in (predictions, changed))
    return Corrected(factors, changed, before, after)


def _cross(
    predictions: Predictions, answers: Floats, halves: Sequence[NDArray[np.int64]], max_loss: float
) -> tuple[Predictions, tuple[float, ...]]:
    chosen = [choose_factor(take(predictions, rows.tolist()), answers[rows], max_loss=max_loss) for rows in halves]
    factors = (chosen[1], chosen[0])
    decided = predictions.predictions.copy()
    shares = None if predictions.probabilities is None else predictions.probabilities.copy()
    for rows, factor in zip(halves, factors, strict=True):
        changed = subtract(predictions, answers, factor)  # of all rows, whose mean it takes
        decided[rows] = changed.predictions[rows]
        if shares is not None and changed.probabilities is not None:
            shares[rows] = changed.probabilities[rows]
    return replace(predictions, predictions=decided, probabilities=shares), factors
