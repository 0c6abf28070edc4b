"""What a task predicts, in the words of its files."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from heads import Head
from tasks import Task
from tasks.multi_label import LabelSetTask


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a task predicts for one example.

    Args:
        label: The most probable class as the task's files name it, or the score in text.
        probabilities: Probability of each class by its name; empty for a score.
        score: The score in label units; None for classes.
        labels: The labels that apply, where there may be several; else empty.
    """

    label: str
    probabilities: Mapping[str, float]
    score: float | None = None
    labels: tuple[str, ...] = ()


def name_predictions(task: Task, head: Head, output: Tensor) -> list[Prediction]:
    """Name what a head's output means, row by row.

    Args:
        task: The task.
        head: Its head.
        output: What it returned, (B, C) or (B,).
    """
    predicted, probabilities = head.predict(output).tolist(), head.probabilities(output)
    labels = [task.format_label(value) for value in predicted]
    if probabilities is None:
        return [Prediction(label, {}, score) for label, score in zip(labels, predicted, strict=True)]
    shares = [dict(zip(task.class_names, row, strict=True)) for row in probabilities.tolist()]
    if not isinstance(task, LabelSetTask):
        return [Prediction(label, row) for label, row in zip(labels, shares, strict=True)]
    sets = [tuple(task.name_labels(value)) for value in predicted]
    return [Prediction(label, row, labels=one) for label, row, one in zip(labels, shares, sets, strict=True)]
