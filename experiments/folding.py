"""Cross-validation of own configurations: a training for each fold, and the table of all."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from analysis.run import Run
from experiments.fold_tables import Fold, FoldedRow, show
from experiments.job import Job
from experiments.options import JobOptions
from experiments.own_trainings import check_comparisons
from experiments.row import Row
from experiments.running import run_jobs
from experiments.systems import System
from experiments.task_values import read_tasks
from tasks import InputError, Task


def train_folds(rows: Mapping[str, Row], folds: int, options: JobOptions) -> int:
    """Train each row on each fold and show the table; return the exit status.

    Args:
        rows: The rows by name, whose tasks are still to be read.
        folds: Number of folds.
        options: What the trainings share.

    Raises:
        InputError: If a row is not as expected.
    """
    split = {name: read_split_tasks(row, options) for name, row in rows.items()}
    rows = {name: replace(row, tasks=tuple(split[name])) for name, row in rows.items()}
    check_comparisons(rows, split)
    options.check_limits(task for tasks in split.values() for task in tasks)
    jobs = build_jobs(rows, split, folds, options)
    status, systems = run_jobs(jobs, options)
    if systems:
        found = {name: collect_folds(row, systems, folds) for name, row in rows.items()}
        show({name: row for name, row in found.items() if row.folds}, options.output)
    return status


def collect_folds(row: Row, systems: Mapping[str, System], folds: int) -> FoldedRow:
    """Return a row with its finished folds.

    Raises:
        InputError: If a run was trained with other folds, or on another file than that of another fold.
    """
    names = {fold: fold_name(row.name, fold) for fold in range(folds)}
    found = [Fold(fold, systems[name]) for fold, name in names.items() if name in systems]
    _check_trained([(each.number, run) for each in found for run in each.system.runs], folds)
    return FoldedRow(row, found, folds)


def _check_trained(runs: Sequence[tuple[int, Run]], folds: int) -> None:
    """Check that each run, behind its fold, was trained with it, and all on the same files; see `collect_folds`."""
    seen: dict[tuple[str, str], tuple[Run, str]] = {}
    for fold, run in runs:
        wanted = [f"folds: {folds}", f"fold: {fold}"]
        for task, split, source in _trained_sources(run):
            rule = source["split"].split(", ")[:2] if "split" in source else wanted
            if rule != wanted:
                raise InputError(
                    f"{run.folder}: was trained with {', '.join(rule)} of {task} (expected folds: {folds}, fold: "
                    f"{fold}; give the --folds that it was run with)"
                )
            other, before = seen.setdefault((task, split), (run, source["sha256"]))
            if before != source["sha256"]:
                raise InputError(
                    f"{run.folder}: read another file of {task} than {other.folder} (expected the same in every fold)"
                )


def _trained_sources(run: Run) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield task, split and source of what a run was trained and scored on."""
    for task, splits in run.report["data"].items():
        yield from ((task, split, source) for split, source in splits.items() if split != "test")


def fold_name(row: str, fold: int) -> str:
    """Return the folder of a row's trainings with a fold, in the output folder."""
    return f"{row}/fold-{fold}"


def read_split_tasks(row: Row, options: JobOptions) -> dict[str, Task]:
    """Return the tasks of a row by name.

    Raises:
        InputError: If they cannot be read, or none has a file to split.
    """
    tasks = read_tasks([*row.configs, *options.configs], [*row.flags, *options.flags], row.origin)
    if not any(task.source.rule for task in tasks.values()):
        raise InputError(f"{row.origin}: no task has a file to split (expected source: {{all: FILE, dev_share: 0.1}})")
    return tasks


def build_jobs(
    rows: Mapping[str, Row], tasks: Mapping[str, Mapping[str, Task]], folds: int, options: JobOptions
) -> dict[str, list[Job]]:
    """Return the trainings of each row and fold, one per seed.

    A task whose splits are files of their own has the same ones in every fold.

    Args:
        rows: The rows by name.
        tasks: Their tasks, by the row's name and their own.
        folds: Number of folds.
        options: What all trainings share.

    Raises:
        InputError: If only a part of the dev examples would be scored.
    """
    jobs = {}
    for name, row in rows.items():
        for fold in range(folds):
            split = [task for task, value in tasks[name].items() if value.source.rule]
            chosen = replace(
                options, flags=(*options.flags, *(flag for task in split for flag in _fold_flags(task, fold, folds)))
            )
            key = fold_name(name, fold)
            jobs[key] = [
                chosen.job(key, seed, row.configs, tasks=row.tasks, flags=row.flags) for seed in options.seed_numbers
            ]
    return jobs


def _fold_flags(task: str, fold: int, folds: int) -> list[str]:
    """Return the flags that choose a fold, whatever the configuration says of the split."""
    source = f"--tasks.{task}.source"
    return [f"{source}.dev_share=null", f"{source}.folds={folds}", f"{source}.fold={fold}"]
