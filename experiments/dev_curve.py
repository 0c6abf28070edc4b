"""Dev scores after each validation of a training, from its TensorBoard events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


@dataclass(frozen=True)
class DevScores:
    """The dev scores of one validation.

    Args:
        step: Optimiser steps before it.
        scores: First metric of each task by task, and `mean`.
    """

    step: int
    scores: Mapping[str, float]


def read_dev_curve(attempts: Sequence[Path], metrics: Mapping[str, str]) -> list[DevScores]:
    """Return every validation of a training, in order.

    Args:
        attempts: Folders of a training that was stopped and continued, oldest first; a step that two of them validated
            counts once.
        metrics: Name of the first metric of each task.
    """
    tags = {**{task: f"val/{task}/{metric}" for task, metric in metrics.items()}, "mean": "val/mean"}
    found: dict[int, dict[str, float]] = {}
    for folder in attempts:
        events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
        for name, tag in tags.items():
            for point in events.Scalars(tag) if tag in events.Tags()["scalars"] else []:
                found.setdefault(point.step + 1, {})[name] = point.value
    return [DevScores(step, scores) for step, scores in sorted(found.items()) if len(scores) == len(tags)]


def choose_best(curve: Sequence[DevScores]) -> DevScores | None:
    """Return the validation with the best mean, the first if several are equal; None if no mean is defined."""
    defined = [point for point in curve if point.scores["mean"] == point.scores["mean"]]  # a NaN is not itself
    return max(defined, key=lambda point: point.scores["mean"], default=None)
