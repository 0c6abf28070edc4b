"""A batch that is evaluated, and what a split logs of all of them."""

import math
from collections.abc import Collection, Mapping
from typing import Any

from torch import Tensor

from datamodules import TaskBatch
from heads import Head
from lightning_modules.score import Score
from lightning_modules.task_scores import Direction, TaskScores
from tasks import Task


def predict(head: Head, output: Tensor) -> dict[str, Any]:
    """Return the predictions of a batch: `prediction` in label units (B,), and `probabilities` (B, C) or None.

    Args:
        head: The head.
        output: What it returned, (B, C) or (B,).
    """
    return {"prediction": head.predict(output), "probabilities": head.probabilities(output)}


def count_batch(scores: TaskScores, head: Head, output: Tensor, batch: TaskBatch) -> dict[str, Any]:
    """Count a batch in the scores of its split, and return its predictions.

    Args:
        scores: The scores of the split, changed in place.
        head: The head of the batch's task.
        output: What it returned, (B, C) or (B,).
        batch: The batch; rows without a label are predicted and do not count.
    """
    found, labels = predict(head, output), batch.keep_labelled(batch.labels)
    if len(labels):
        shares = None if found["probabilities"] is None else batch.keep_labelled(found["probabilities"])
        loss = head.loss(batch.keep_labelled(output), labels)
        scores.update(batch.task, batch.keep_labelled(found["prediction"]), labels, loss, shares)
    return found


def summarize(
    found: Mapping[str, Mapping[str, Tensor]], tasks: Mapping[str, Task], score: Score | None
) -> dict[str, float]:
    """Return the mean of the tasks' first metrics, NaN of none, and the score where all of its tasks were evaluated.

    Args:
        found: Metrics by task, see `TaskScores.take`.
        tasks: The tasks by name.
        score: The weighted sum that was asked for; None for none.
    """
    values = {name: {key: float(value) for key, value in metrics.items()} for name, metrics in found.items()}
    firsts = [values[name][task.metric_names[0]] for name, task in tasks.items() if name in values and task.in_mean]
    summary = {"mean": sum(firsts) / len(firsts) if firsts else math.nan}
    if score is not None and values.keys() >= set(score.tasks):
        summary["score"] = score(values)
    return summary


def directions(scores: TaskScores, tasks: Collection[str], score: Score | None, *, split: str) -> dict[str, Direction]:
    """Return which way each value that a split logs gets better.

    Args:
        scores: The scores of the split.
        tasks: Names of the tasks that are evaluated.
        score: The weighted sum that was asked for; None for none.
        split: Name of the split in the logs.
    """
    found = {f"{split}/{name}": way for name, way in scores.directions(tasks).items()}
    has_score = score is not None and set(tasks) >= set(score.tasks)
    return {**found, f"{split}/mean": "max", **({f"{split}/score": "either"} if has_score else {})}
