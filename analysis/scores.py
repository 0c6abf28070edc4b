"""A task's metrics over saved predictions."""

import numpy as np
import torch

from analysis.run import Predictions
from analysis.weighted_counts import Floats
from tasks import InputError
from tasks.metrics import OF_PROBABILITIES, MetricName


def score(predictions: Predictions) -> dict[str, float]:
    """Return the task's metrics over what was predicted, by name; NaN where one is undefined."""
    as_tensor = predictions.task.labels.as_tensor
    predicted, labels = as_tensor(predictions.predictions), as_tensor(predictions.labels)
    shares = None if predictions.probabilities is None else torch.from_numpy(predictions.probabilities)
    return {str(name): value for name, value in predictions.task.score(predicted, labels, shares).items()}


def select_scored(predictions: Predictions, metric: MetricName, origin: str) -> tuple[Floats, Floats]:
    """Return labels and predictions as a metric takes them, (n, ...) each (see `score_runs`).

    Args:
        predictions: What was predicted.
        metric: The metric.
        origin: Whose predictions they are, for messages.

    Raises:
        InputError: If it needs probabilities and there are none.
    """
    if metric not in OF_PROBABILITIES:
        return predictions.labels, predictions.predictions
    if predictions.probabilities is None:
        raise InputError(f"{origin}: has no file of probabilities (expected one, which {metric} is computed from)")
    values = predictions.labels.reshape(len(predictions.labels), -1)
    probabilities, is_yes = predictions.task.labels.ask(predictions.probabilities, values)  # (n, Q) each
    return is_yes.astype(np.float64), probabilities
