"""A task's metrics over saved predictions."""

import torch

from analysis.run import Predictions


def score(predictions: Predictions) -> dict[str, float]:
    """Return the task's metrics over what was predicted, by name; NaN where one is undefined."""
    dtype = torch.float32 if predictions.task.labels.kind == "score" else torch.int64
    predicted, labels = (torch.from_numpy(values).to(dtype) for values in (predictions.predictions, predictions.labels))
    return {str(name): float(metric(predicted, labels)) for name, metric in predictions.task.build_metrics().items()}
