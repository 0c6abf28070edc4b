"""A task's metrics over saved predictions."""

import torch

from analysis.run import Predictions


def score(predictions: Predictions) -> dict[str, float]:
    """Return the task's metrics over what was predicted, by name; NaN where one is undefined."""
    as_tensor = predictions.task.labels.as_tensor
    predicted, labels = as_tensor(predictions.predictions), as_tensor(predictions.labels)
    shares = None if predictions.probabilities is None else torch.from_numpy(predictions.probabilities)
    return {str(name): value for name, value in predictions.task.score(predicted, labels, shares).items()}
