"""A task's metrics over saved predictions."""

from analysis.run import Predictions


def score(predictions: Predictions) -> dict[str, float]:
    """Return the task's metrics over what was predicted, by name; NaN where one is undefined."""
    as_tensor = predictions.task.labels.as_tensor
    predicted, labels = as_tensor(predictions.predictions), as_tensor(predictions.labels)
    return {str(name): float(metric(predicted, labels)) for name, metric in predictions.task.build_metrics().items()}
