"""Several runs' predictions, combined into a folder that reads like a run."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from analysis.combining import combine
from analysis.methods import Method
from analysis.run import Predictions, Run
from analysis.selection import Selection, first_metric, select_members
from analysis.table import Table
from analysis.written_run import write_run
from heads import Scores
from runtime.new_folder import check_new
from tasks import InputError, Split, Task
from tasks.multi_label import LabelSetTask

Members = Mapping[str, Sequence[Predictions]]


def read_members(runs: Sequence[Run], split: Split, method: Method) -> Members:
    """Read every run's predictions of each task, checked to be about the same data.

    Args:
        runs: The runs, at least two.
        split: Which split.
        method: `score` leaves out the tasks with classes.

    Raises:
        InputError: If there are fewer than two runs, a run appears twice, they have different tasks, labels or data, or
            no task is left.
    """
    if len(runs) < 2:
        raise InputError(f"an ensemble of {len(runs)} run (expected two or more)")
    if len({run.folder.resolve() for run in runs}) < len(runs):
        raise InputError("a run appears twice among the members (expected different ones)")
    for run in runs[1:]:
        _check_same_data(runs[0], run, split)
    kept = [name for name, task in runs[0].tasks.items() if method != "score" or isinstance(task.labels, Scores)]
    if not kept:
        raise InputError("--method score: no task has scores (expected vote or probability)")
    return {task: [run.read_predictions(task, split) for run in runs] for task in kept}


def _check_same_data(first: Run, other: Run, split: Split) -> None:
    if list(first.tasks) != list(other.tasks):
        raise InputError(
            f"{other.name} has the tasks {', '.join(other.tasks)} (expected {', '.join(first.tasks)}, as {first.name})"
        )
    for task in first.tasks:
        files = [run.report["data"].get(task, {}).get(split, {}).get("sha256") for run in (first, other)]
        if files[0] != files[1]:
            raise InputError(
                f"{other.name} has a different {split} split of {task} than {first.name} (different SHA-256)"
            )
        labels, others = (_describe_labels(run.tasks[task]) for run in (first, other))
        if labels != others:
            raise InputError(f"{other.name} has {others} as labels of {task} (expected {labels}, as {first.name})")


def _describe_labels(task: Task) -> str:
    """Return the classes in their order, or the range of the scores."""
    return ", ".join(task.class_names) or str(task.labels)


def write_ensemble(
    output: Path, runs: Sequence[Run], combined: Mapping[str, Predictions], *, split: Split, details: Mapping[str, Any]
) -> None:
    """Write a folder that reads like a run: `config.yaml` (the first member's), `report.json`, `predictions/`.

    Args:
        output: Folder to create.
        runs: The members.
        combined: The ensemble's predictions by task.
        split: Which split they are of.
        details: What else the report holds.

    Raises:
        InputError: If the folder holds something.
    """
    baselines = runs[0].report.get("baseline", {})
    sets = {name: found.task for name, found in combined.items() if isinstance(found.task, LabelSetTask)}
    thresholds = {name: task.thresholds for name, task in sets.items() if task.thresholds}
    report = {
        "baseline": {task: baselines[task] for task in combined if task in baselines},
        "members": [str(run.folder) for run in runs],
        **details,
        **({"thresholds": thresholds} if thresholds else {}),
        "data": {task: {split: runs[0].report["data"][task][split]} for task in combined},
    }
    config = (runs[0].folder / "config.yaml").read_text(encoding="utf-8")
    write_run(output, combined, split=split, config=config, report=report)


def build_table(members: Members, combined: Mapping[str, Predictions], selections: Mapping[str, Selection]) -> Table:
    """Return the ensemble's first metric next to the best single member's and the mean member's, by task."""
    halves = ("chosen half", "held-out half") if selections else ()
    cells: list[tuple[str, ...]] = []
    for task, ensemble in combined.items():
        alone = [first_metric(member) for member in members[task]]
        metric = str(ensemble.task.metric_names[0])
        rows = {
            "ensemble": first_metric(ensemble),
            "best member": max(alone),
            "mean member": float(np.mean(alone)),
        }
        if task in selections:
            chosen = ", ".join(str(member + 1) for member in selections[task].members)
            rows = {f"members {chosen}": rows.pop("ensemble"), "all members": math.nan, **rows}
        halves_of = _half_cells(selections.get(task)) or [()] * len(rows)
        cells += [
            (task if number == 0 else "", metric if number == 0 else "", name, _cell(value), *halves_of[number])
            for number, (name, value) in enumerate(rows.items())
        ]
    columns = ("task", "metric", "predictions", "whole split", *halves)
    note = "halves: the best member is the best of the chosen half" if selections else ""
    return Table("ensemble", columns, cells, num_text_columns=3, note=note)


def _half_cells(selection: Selection | None) -> list[tuple[str, ...]]:
    if selection is None:
        return []
    lines = (selection.ensemble, selection.all_members, selection.best_member, selection.mean_member)
    return [(_cell(line.selected), _cell(line.held_out)) for line in lines]


def _cell(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else ""


def ensemble(
    folders: Sequence[Path], output: Path, *, method: Method, split: Split = "dev", select: bool = False, seed: int = 42
) -> Table:
    """Combine runs into a new folder and return a table of the scores.

    Args:
        folders: The members' folders.
        output: Folder to create.
        method: How classes are combined (see `combine`).
        split: Which split.
        select: Whether to choose the members for each task on one half of the split.
        seed: Seed of the halves.

    Raises:
        InputError: If the runs cannot be combined or the folder holds something.
    """
    check_new(output)
    runs = [Run(folder) for folder in folders]
    members = read_members(runs, split, method)
    selections = {task: select_members(found, method, seed=seed) for task, found in members.items()} if select else {}
    combined = {
        task: combine([found[row] for row in selections[task].members] if select else found, method)
        for task, found in members.items()
    }
    details: dict[str, Any] = {"method": method}
    if select:
        chosen = {task: asdict(selection) for task, selection in selections.items()}
        details |= {"selection_seed": seed, "selection": chosen}
    write_ensemble(output, runs, combined, split=split, details=details)
    return build_table(members, combined, selections)
