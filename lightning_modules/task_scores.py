"""The metrics of every task over a whole split."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torchmetrics import MetricCollection

from tasks import Task
from tasks.exact_metrics import ExactMean

Direction = Literal["max", "min", "either"]  # of a score, towards the better


class TaskScores(nn.Module):
    """Counts predictions and losses batch by batch and gives each task's metrics at the end of the split.

    Args:
        tasks: The tasks by name.
    """

    def __init__(self, tasks: Mapping[str, Task]) -> None:
        super().__init__()
        self._metrics: Any = nn.ModuleDict()
        for name, task in tasks.items():
            # no compute groups: each process finds them by its own first batch, and one without rows finds none
            built: dict[str, Any] = {str(metric): one for metric, one in task.build_metrics().items()}
            scores = MetricCollection(built, compute_groups=False)
            self._metrics[name] = nn.ModuleDict({"scores": scores, "loss": ExactMean()})

    def directions(self, tasks: Collection[str]) -> dict[str, Direction]:
        """Return which way each score of some tasks gets better, by `<task>/<metric>`, their losses included."""
        found: dict[str, Direction] = {}
        for name, metrics in self._metrics.items():
            if name in tasks:
                for metric, built in metrics["scores"].items():
                    found[f"{name}/{metric}"] = "min" if built.higher_is_better is False else "max"
                found[f"{name}/loss"] = "min"
        return found

    def update(
        self, name: str, predictions: Tensor, labels: Tensor, loss: Tensor, probabilities: Tensor | None = None
    ) -> None:
        """Count a batch.

        Args:
            name: Name of the task.
            predictions: In label units, (B,).
            labels: (B,).
            loss: Its mean loss.
            probabilities: Of the classes, (B, C); None for scores.
        """
        self._metrics[name]["scores"].update(preds=predictions, target=labels, probabilities=probabilities)
        self._metrics[name]["loss"].update(loss, weight=len(labels))

    def take(self, total: Callable[[Tensor], Tensor]) -> dict[str, dict[str, Tensor]]:
        """Return the metrics of the split and start afresh; call it on every process.

        Args:
            total: Sums a tensor over the processes, one of which may have got no batch of a small split.

        Returns:
            Metrics and `loss` by task of those that had a batch.
        """
        counts = torch.tensor([metrics["loss"].update_count for metrics in self._metrics.values()])
        found = {}
        for (name, metrics), count in zip(self._metrics.items(), total(counts).tolist(), strict=True):
            if count:
                found[name] = {**metrics["scores"].compute(), "loss": metrics["loss"].compute()}
                metrics["scores"].reset()
                metrics["loss"].reset()
        return found
