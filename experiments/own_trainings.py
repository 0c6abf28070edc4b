"""Own configurations over seeds: their trainings, checked and run, and their table."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from experiments.job import Job
from experiments.options import JobOptions
from experiments.row import Row
from experiments.row_tables import show
from experiments.running import run_jobs
from experiments.systems import check_same_data
from experiments.task_values import check_metrics, describe_dev, read_tasks
from tasks import InputError, Task


def train_and_compare(rows: Mapping[str, Row], options: JobOptions) -> int:
    """Train each row with each seed and show the table; return the exit status.

    Args:
        rows: The rows by name, whose tasks are still to be read.
        options: What they share.

    Raises:
        InputError: If a row or its data is not as expected.
    """
    tasks = {
        name: read_tasks([*row.configs, *options.configs], [*row.flags, *options.flags], row.origin)
        for name, row in rows.items()
    }
    rows = {name: replace(row, tasks=tuple(tasks[name])) for name, row in rows.items()}
    check_comparisons(rows, tasks)
    jobs = build_jobs(rows, options)
    if not (options.dry_run or options.table_only):
        check_dev_data(rows, tasks, options)
    status, systems = run_jobs(jobs, options)
    if systems:
        check_same_data(list(systems.values()), splits=["dev"])
        show(list(rows.values()), systems, rows, options.output)
    return status


def build_jobs(rows: Mapping[str, Row], options: JobOptions) -> dict[str, list[Job]]:
    """Return the trainings of each row, one per seed.

    Raises:
        InputError: If no row has a task that is limited, or only a part of the dev examples would be scored.
    """
    options.check_limits(task for row in rows.values() for task in row.tasks)
    return {
        name: [options.job(name, seed, row.configs, tasks=row.tasks, flags=row.flags) for seed in options.seed_numbers]
        for name, row in rows.items()
    }


def check_comparisons(rows: Mapping[str, Row], tasks: Mapping[str, Mapping[str, Task]]) -> None:
    """Raise an error unless each row shares a scored task with the one that it is compared with, and all metrics agree.

    Args:
        rows: The rows by name.
        tasks: Their tasks, by the row's name and their own.

    Raises:
        InputError: If a row shares none, or two have different first metrics of a task.
    """
    scored = {row: [name for name, task in found.items() if task.in_mean] for row, found in tasks.items()}
    for row in rows.values():
        if row.against is not None and set(scored[row.name]).isdisjoint(scored[row.against]):
            raise InputError(
                f"{row.origin}: is scored on other tasks ({', '.join(scored[row.name])}) than {row.against}, which it "
                f"is compared with (expected at least one of {', '.join(scored[row.against])}, without in_mean: false)"
            )
    check_metrics({row.origin: tasks[row.name] for row in rows.values()})


def check_dev_data(rows: Mapping[str, Row], tasks: Mapping[str, Mapping[str, Task]], options: JobOptions) -> None:
    """Raise an error unless all rows are scored on the same dev rows of a task that enters their mean.

    Args:
        rows: The rows by name.
        tasks: Their tasks, by the row's name and their own.
        options: What the rows share.

    Raises:
        InputError: If two are not, or the file of a dev split is missing.
    """
    seen: dict[str, tuple[str, Any]] = {}
    for row in rows.values():
        configs, flags = [*row.configs, *options.configs], [*row.flags, *options.flags]
        try:
            scored = {name: task for name, task in tasks[row.name].items() if task.in_mean}
            described = describe_dev(scored, configs, flags, options.root)
        except InputError as error:
            raise InputError(f"{row.origin}: {error}") from None
        for task, data in described.items():
            name, before = seen.setdefault(task, (row.name, data))
            if before != data:
                raise InputError(
                    f"{row.origin}: is scored on other dev data of {task} than {name} (expected the same file and rows)"
                )
