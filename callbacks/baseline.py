"""What a model that ignores the texts would score."""

import math

import numpy as np
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
    labels = torch.from_numpy(evaluated.labels)
    if task.labels.kind == "score":
        constant = torch.full_like(labels, float(np.mean(train.labels)))
    else:
        labels = labels.long()
        constant = torch.full_like(labels, int(np.bincount(train.labels.astype(np.int64)).argmax()))
    scores = {}
    for name, metric in task.build_metrics().items():
        undefined = name in ("pearson", "spearman", "matthews")  # torchmetrics gives NaN, 0 or an arbitrary value
        value = math.nan if undefined else float(metric(constant, labels))  # unlike compute(), of this process alone
        scores[str(name)] = None if math.isnan(value) else value
    return scores
