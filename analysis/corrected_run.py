"""A run's predictions less a part of what a shortcut model says, as a folder that reads like a run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from analysis.json_file import replace_undefined
from analysis.run import Predictions, Run
from analysis.subtraction import Corrected, Floats, Standing, correct
from analysis.table import Table
from analysis.written_run import write_run
from heads import Scores
from shortcuts.answers import answer
from shortcuts.models import draw_labelled
from tasks import Example, InputError, Split

NOTE = (
    "Each half of the rows is corrected with the part that was chosen on the other half. Where the shortcut is wrong: "
    "rows that its own answer does not tell. A moved threshold, not a better understanding: look at the AUC inside "
    "the bands too."
)


def ask_shortcut(predictions: Predictions, train: Sequence[Example]) -> Floats | None:
    """Return what a shortcut model, trained on the train split, says of the rows of a run; None if it learns nothing.

    Returns:
        Probabilities (n, C), or scores (n,).
    """
    space = predictions.task.labels
    if space.is_set:
        return None
    labels = np.array([np.nan if example.label is None else example.label for example in train], dtype=np.float64)
    rows = draw_labelled(labels, is_score=isinstance(space, Scores))
    if not rows.size:
        return None
    texts, asked = [train[int(row)].texts for row in rows], [example.texts for example in predictions.examples]
    return answer(texts, labels[rows], asked, num_classes=space.num_classes)


def correct_run(
    run: Run, split: Split, *, max_loss: float, seed: int, factor: float | None
) -> dict[str, Corrected | None]:
    """Correct the predictions of each task that a run wrote some of; None where a shortcut model learns nothing.

    Raises:
        InputError: If it wrote none, they lack the probabilities of classes, or a file is missing or has changed.
    """
    names = [name for name in run.tasks if run.has_predictions(name, split)]
    found: dict[str, Corrected | None] = {}
    for name in names:
        predictions = run.read_predictions(name, split)
        answers = ask_shortcut(predictions, run.read_examples(name, "train"))
        if answers is not None and answers.ndim == 2 and predictions.probabilities is None:
            raise InputError(f"{run.folder}: the {split} predictions of {name} have no probabilities (expected some)")
        found[name] = (
            answers if answers is None else correct(predictions, answers, max_loss=max_loss, seed=seed, factor=factor)
        )
    if not any(found.values()):
        raise InputError(f"{run.folder}: no {split} predictions that a shortcut model could correct (expected some)")
    return found


def write_corrected(
    output: Path, run: Run, found: Mapping[str, Corrected], *, split: Split, details: Mapping[str, Any]
) -> None:
    """Write a folder that reads like a run.

    Args:
        output: Folder to create.
        run: The run whose predictions were corrected.
        found: By task.
        split: Which split they are of.
        details: What else the report holds.

    Raises:
        InputError: If the folder holds something.
    """
    numbers = {
        name: {"factors": one.factors, "before": asdict(one.before), "after": asdict(one.after)}
        for name, one in found.items()
    }
    baselines, data = run.report.get("baseline", {}), run.report["data"]
    report = {
        "baseline": {name: baselines[name] for name in found if name in baselines},
        "corrected": {"run": str(run.folder), **details, "tasks": replace_undefined(numbers)},
        "data": {name: {part: data[name][part] for part in ("train", split)} for name in found},
    }
    config = (run.folder / "config.yaml").read_text(encoding="utf-8")
    write_run(output, {name: one.predictions for name, one in found.items()}, split=split, config=config, report=report)


def build_table(found: Mapping[str, Corrected], split: Split) -> Table:
    """Return how each task stands before and after."""
    columns = ("task", "metric", "predictions", "part", "whole split", "shortcut right", "shortcut wrong")
    rows = []
    for name, one in found.items():
        metric = str(one.predictions.task.metric_names[0])
        factors = " / ".join(f"{factor:.2f}" for factor in one.factors)
        rows.append([name, metric, "the run", "0", *_cells(one.before)])
        rows.append(["", "", "corrected", factors, *_cells(one.after)])
    return Table(f"predictions less a part of the shortcut's, {split}", columns, rows, num_text_columns=3, note=NOTE)


def _cells(standing: Standing) -> list[str]:
    values = (standing.every, standing.told, standing.untold)
    return [f"{value:.4f}" if np.isfinite(value) else "" for value in values]
