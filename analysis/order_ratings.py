"""How much a trained model holds pairs for the same that differ in the order of words."""

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.blocks import number, span
from analysis.intervals import auc, bootstrap_auc
from analysis.table import Table
from augmentation.held_out import OrderPair
from heads import Scores
from inference import Prediction
from runtime.whole_files import replacing
from tasks import InputError, Task

NOTE = (
    "Questions made by rule, which share all words: a model that counts words calls all of them the same. AUC: how "
    "often a pair with the same meaning gets more than one with another; 0.5 is chance, whatever the threshold. "
    "Its interval knows nothing of how few the rules are."
)


def rate(task: Task, predictions: Sequence[Prediction], same: str | None) -> NDArray[np.float64]:
    """Return how much a model holds each pair for the same: a score, or the probability of a class, (n,).

    Args:
        task: The task.
        predictions: What it predicts.
        same: The class that means the same; None for the last of two classes, or a score.

    Raises:
        InputError: If there is no such class, or it is left out where there are more than two.
    """
    if isinstance(task.labels, Scores):
        if same is not None:
            raise InputError(f"--same is {same!r} (expected none: the task predicts scores, where more is more alike)")
        return np.array([prediction.score for prediction in predictions], dtype=np.float64)
    names = [*predictions[0].probabilities]
    if same is None and len(names) == 2:
        same = names[1]
    if same not in names:
        raise InputError(f"--same is {same!r} (expected the class that means the same: {', '.join(names)})")
    return np.array([prediction.probabilities[same] for prediction in predictions])


def build_table(pairs: Sequence[OrderPair], ratings: NDArray[np.float64], *, is_score: bool) -> Table:
    """Return the table of a model: all pairs, and those of each phenomenon.

    Args:
        pairs: The pairs, [n].
        ratings: How much the model holds each for the same, (n,).
        is_score: Whether ratings are scores, which have no threshold; their mean is shown.
    """
    families = [*dict.fromkeys(pair.phenomenon for pair in pairs)]
    rows = [_row("all", pairs, ratings, is_score=is_score)]
    for family in families:
        chosen = [row for row, pair in enumerate(pairs) if pair.phenomenon == family]
        rows.append(_row(family, [pairs[row] for row in chosen], ratings[chosen], is_score=is_score))
    said = "mean score" if is_score else "called the same"
    columns = ("phenomenon", "pairs", f"{said}: other meaning", f"{said}: same meaning", "AUC", "95 % interval")
    return Table("Pairs that share all words", columns, rows, note=NOTE)


def _row(name: str, pairs: Sequence[OrderPair], ratings: NDArray[np.float64], *, is_score: bool) -> list[str]:
    labels = np.array([pair.is_same for pair in pairs], dtype=np.float64)
    shown = ratings if is_score else (ratings > 0.5).astype(np.float64)
    means = [number(float(shown[labels == label].mean()), 3) for label in (0, 1)]
    return [name, f"{len(pairs)}", *means, number(auc(labels, ratings), 3), span(bootstrap_auc(labels, ratings))]


def write_pairs(path: Path, pairs: Sequence[OrderPair], ratings: NDArray[np.float64]) -> None:
    """Write the pairs and what a model rates them, for reading."""
    lines = StringIO()
    writer = csv.writer(lines)
    writer.writerow(["phenomenon", "first", "second", "same", "rating"])
    for pair, rating in zip(pairs, ratings.tolist(), strict=True):
        writer.writerow([pair.phenomenon, *pair.texts, int(pair.is_same), f"{rating:.4f}"])
    with replacing(path) as file:
        file.write(lines.getvalue().encode())
