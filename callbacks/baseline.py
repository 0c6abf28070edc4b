"""What a model that ignores the texts would score, and whether ours is such a model."""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from datamodules import TokenStore
from tasks import Task

EQUAL = 1e-3  # label units; classes are whole numbers
CORRELATIONS = ("pearson", "spearman", "kendall", "matthews")  # with a constant: NaN, 0 or an arbitrary value


def score_baseline(
    train: TokenStore, evaluated: TokenStore, rows: NDArray[np.int64] | None = None
) -> dict[str, float | None]:
    """Score the best constant prediction: the most frequent class of the training split, or its mean score.

    Metrics of probabilities are those of the classes' shares in the training split.

    Args:
        train: The training split.
        evaluated: A labelled split.
        rows: The rows that were evaluated, (n,); None for all.

    Returns:
        Each of the task's metrics; None where it is no finite number, as a correlation with a constant is.
    """
    space, known = train.task.labels, train.labels[train.labelled_rows]
    chosen = evaluated.labelled_rows if rows is None else rows[evaluated.has_label[rows]]
    labels = space.as_tensor(evaluated.labels[chosen])
    constant = space.as_tensor(np.broadcast_to(space.best_constant(known), evaluated.labels[chosen].shape))
    shares = space.best_probabilities(known)
    probabilities = None if shares is None else torch.from_numpy(shares).expand(len(labels), -1)
    scores = train.task.score(constant, labels, probabilities)
    return {
        str(name): None if name in CORRELATIONS or not math.isfinite(value) else value for name, value in scores.items()
    }


def describe_failure(
    task: Task, predictions: NDArray[np.float64], score: float | None, baseline: float | None
) -> str | None:
    """Say that a model predicts the same for every text, or no better than the constant; None where it does neither.

    Args:
        task: The task.
        predictions: Its predictions in label units, (n,), or sets (n, C).
        score: The task's first metric; None where it is undefined.
        baseline: That of the best constant; None where it is undefined, as a correlation with a constant is: then a
            score above 0 is better.
    """
    if len(predictions) > 1 and np.ptp(predictions, axis=0).max() < EQUAL:
        label = task.format_label(predictions[0]) or "the empty one"
        if np.ptp(predictions, axis=0).max() > 0:
            return f"predicts nearly the same {task.labels.singular} for every text, {label}"
        return f"predicts one {task.labels.singular} only, {label}, whatever the text"
    metric, constant = task.metric_names[0], 0.0 if baseline is None else baseline
    if score is not None and score <= constant + 1e-6:
        return f"{metric} {score:.4f} is no better than {constant:.4f}, that of one prediction for all texts"
    return None
