"""Each metric that a task may be chosen by, of several runs at once, also on rows drawn with replacement."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from analysis.weighted_counts import (
    Floats,
    Weighted,
    averaged,
    f1,
    kappa,
    matthews,
    precision,
    recall,
    share_right,
)
from analysis.weighted_moments import pearson, quadratic_kappa, r2
from analysis.weighted_ranks import average_precision, kendall, over_questions, roc_area, spearman
from tasks.metrics import MetricName

CHUNK = 128  # resamples at once: of 20,000 rows, 20 MB
METRICS: dict[str, Weighted] = {
    "accuracy": share_right,
    "exact_match": share_right,
    "f1": averaged(f1, "yes"),
    "precision": averaged(precision, "yes"),
    "recall": averaged(recall, "yes"),
    "macro_f1": averaged(f1, "macro"),
    "macro_precision": averaged(precision, "macro"),
    "macro_recall": averaged(recall, "macro"),
    "micro_f1": averaged(f1, "micro"),
    "micro_precision": averaged(precision, "micro"),
    "micro_recall": averaged(recall, "micro"),
    "weighted_f1": averaged(f1, "weighted"),
    "weighted_precision": averaged(precision, "weighted"),
    "weighted_recall": averaged(recall, "weighted"),
    "matthews": matthews,
    "kappa": kappa,
    "quadratic_kappa": quadratic_kappa,
    "auroc": over_questions(roc_area),
    "average_precision": over_questions(average_precision),
    "pearson": pearson,
    "spearman": spearman,
    "kendall": kendall,
    "r2": r2,
}


def score_runs(metric: MetricName, labels: Floats, predictions: Floats) -> Floats:
    """Score each run.

    Args:
        metric: Any but those of which lower is better.
        labels: The labels, (n,), or sets, (n, C); for a metric of probabilities whether each question is answered yes,
            (n,) or (n, Q) (see `LabelSpace.ask`).
        predictions: Those of each run, or the probabilities of yes, (K, n, ...).

    Returns:
        The scores, (K,); NaN where one is undefined, such as a correlation where all predictions or labels are equal.
    """
    scores: Floats = _score(metric, labels, predictions, np.ones((1, len(labels))))[0]
    return scores


def resample_scores(
    metric: MetricName,
    labels: Floats,
    predictions: Floats,
    *,
    samples: int,
    rng: Generator,
    among: tuple[NDArray[np.int64], int] | None = None,
) -> Floats:
    """Score each run on rows drawn with replacement, the same rows for all runs: the paired bootstrap.

    Args:
        metric: Any but those of which lower is better.
        labels: As for `score_runs`, (n, ...).
        predictions: Likewise, (K, n, ...).
        samples: Number of resamples.
        rng: Source of the draws.
        among: Places of the rows among all that are drawn from, (n,), and how many those are; None where they are all.
            Tasks over the same rows are drawn together with equal sources and the same number of all.

    Returns:
        The scores, (samples, K).

    Source: Efron & Tibshirani 1993; Berg-Kirkpatrick et al. 2012, https://aclanthology.org/D12-1091
    """
    places, total = (slice(None), len(labels)) if among is None else among
    parts = []
    for start in range(0, samples, CHUNK):
        count = min(CHUNK, samples - start)
        drawn = rng.integers(total, size=(count, total))
        weights = np.stack([np.bincount(rows, minlength=total)[places] for rows in drawn]).astype(np.float64)
        parts.append(_score(metric, labels, predictions, weights))
    return np.concatenate(parts)


def _score(metric: MetricName, labels: Floats, predictions: Floats, weights: Floats) -> Floats:
    """Score each run on weighted rows: labels (n, ...), predictions (K, n, ...), weights (samples, n): (samples, K)."""
    return np.stack([METRICS[metric](labels, run, weights) for run in predictions], axis=1)
