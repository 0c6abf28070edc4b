"""A folder that reads like a run, for predictions that no training made: an ensemble's, or those of merged weights."""

import importlib.metadata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analysis.json_file import write_json
from analysis.run import Predictions
from analysis.scores import score
from runtime.new_folder import new_folder
from tasks import Example, Split, Task
from tasks.prediction_files import write_predictions


class _Examples:
    """Examples in the form that the writer of predictions expects."""

    def __init__(self, task: Task, examples: Sequence[Example]) -> None:
        self.task = task
        self._examples = examples

    def id(self, row: int) -> str:
        """Id of an example."""
        return self._examples[row].id


def write_run(
    output: Path,
    predictions: Mapping[str, Predictions],
    *,
    split: Split,
    config: str,
    report: Mapping[str, Any],
) -> dict[str, Any]:
    """Write `config.yaml`, `report.json` and `predictions/` into a new folder, and return the metrics.

    The folder appears only when whole.

    Args:
        output: Folder to create.
        predictions: What was predicted, by task.
        split: Which split that is of.
        config: What `config.yaml` holds.
        report: What the report holds beside the metrics and versions.

    Raises:
        InputError: If the folder holds something.
    """
    metrics: dict[str, Any] = {task: score(found) for task, found in predictions.items()}
    counted = {name: found.task for name, found in predictions.items() if found.task.in_mean}
    firsts = [metrics[name][str(task.metric_names[0])] for name, task in counted.items()]
    metrics["mean"] = float(np.mean(firsts)) if firsts else float("nan")
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "torchmetrics")}
    with new_folder(output) as partial:
        (partial / "config.yaml").write_text(config, encoding="utf-8")
        for task, found in predictions.items():
            _write_predictions(partial / "predictions" / f"{task}-{split}.csv", found)
        write_json(partial / "report.json", {"metrics": metrics, **report, "versions": versions})
    return metrics


def _write_predictions(path: Path, found: Predictions) -> None:
    store, rows = _Examples(found.task, found.examples), np.arange(len(found.examples))
    probabilities = None if found.probabilities is None else found.probabilities.astype("f4")
    write_predictions(path, store, rows, found.predictions, probabilities)
