"""One number from the tasks' metrics, with the user's own weights."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks import InputError


@dataclass(frozen=True)
class Score:
    """The weighted sum of some metrics.

    A plain sum: the weights need not add up to 1, and a negative one is for a metric where lower is better.

    Args:
        weights: Weight of each `<task>.<metric>`.
        metrics: Names of each task's metrics, those that can be weighted.

    Raises:
        InputError: If nothing is weighted, a weight is not finite, or there is no such task or metric.

    Example:
        >>> score = Score({"sst.accuracy": 0.5, "sts.pearson": 0.5}, {"sst": ["accuracy"], "sts": ["pearson"]})
        >>> score({"sst": {"accuracy": 0.5}, "sts": {"pearson": 0.8}}), score.tasks
        (0.65, ('sst', 'sts'))
    """

    weights: Mapping[str, float]
    metrics: Mapping[str, Sequence[str]]

    def __post_init__(self) -> None:
        known = [f"{task}.{metric}" for task, names in self.metrics.items() for metric in names]
        if not self.weights:
            raise InputError(f"model.score is empty (expected weights of {', '.join(known)})")
        for name, weight in self.weights.items():
            if name not in known:
                raise InputError(
                    f"model.score: there is no {name!r} (expected {', '.join(known)}; --tasks.NAME.metrics adds others)"
                )
            if not math.isfinite(weight):
                raise InputError(f"model.score: the weight of {name} is {weight} (expected a finite number)")

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks whose metrics are needed, in order."""
        return tuple(dict.fromkeys(name.partition(".")[0] for name in self.weights))

    def __call__(self, values: Mapping[str, Mapping[str, float]]) -> float:
        """Return the score; NaN where a metric is undefined.

        Args:
            values: Each task's metrics by name.
        """
        parts = ((name.partition("."), weight) for name, weight in self.weights.items())
        return sum(weight * float(values[task][metric]) for (task, _, metric), weight in parts)
