"""What a model that ignores the texts would score."""

import math

import torch

from datamodules import TokenStore


def score_baseline(train: TokenStore, evaluated: TokenStore) -> dict[str, float | None]:
    """Score the best constant prediction: the most frequent class of the training split, or its mean score.

    Args:
        train: The training split.
        evaluated: A labelled split.

    Returns:
        Each of the task's metrics; None where it is undefined, as a correlation with a constant is.
    """
    task = train.task
    labels = task.labels.as_tensor(evaluated.labels)
    constant = torch.full_like(labels, task.labels.best_constant(train.labels))
    scores = {}
    for name, metric in task.build_metrics().items():
        undefined = name in ("pearson", "spearman", "matthews")  # torchmetrics gives NaN, 0 or an arbitrary value
        value = math.nan if undefined else float(metric(constant, labels))  # unlike compute(), of this process alone
        scores[str(name)] = None if math.isnan(value) else value
    return scores
