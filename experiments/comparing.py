"""Own configurations over seeds: their trainings, checked and run, and their table."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from experiments.comparison import check_same_data, choose_metric
from experiments.job import Job
from experiments.options import JobOptions
from experiments.row import Row
from experiments.row_tables import show
from experiments.running import run_jobs
from experiments.task_values import describe_dev, read_tasks
from tasks import InputError, Task


def train_and_compare(rows: Mapping[str, Row], options: JobOptions) -> int:
    """Train each row with each seed and show the table; return the exit status.

    Args:
        rows: The rows by name, whose tasks are still to be read.
        options: What they share.

    Raises:
        InputError: If a row or its data is not as expected.
    """
    tasks = {name: read_row_tasks(row, options) for name, row in rows.items()}
    rows = {name: replace(row, tasks=tuple(tasks[name])) for name, row in rows.items()}
    check_comparisons(rows)
    jobs = build_jobs(rows, options)
    if not (options.dry_run or options.table_only):
        check_dev_data(rows, tasks, options)
    status, systems = run_jobs(jobs, options)
    if systems:
        check_same_data(list(systems.values()), splits=["dev"])
        show(list(rows.values()), systems, rows, options.output)
    return status


def read_row_tasks(row: Row, options: JobOptions) -> dict[str, Task]:
    """Return the tasks of a row by name.

    Raises:
        InputError: If they cannot be read, or the first metric of one that enters the mean is not accuracy or
            Pearson's correlation.
    """
    tasks = read_tasks([*row.configs, *options.configs], [*row.flags, *options.flags], row.origin)
    for name, task in tasks.items():
        if task.in_mean:
            choose_metric(task, f"{row.origin}: task {name}")
    return tasks


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


def check_comparisons(rows: Mapping[str, Row]) -> None:
    """Raise an error unless each row shares a task with the one that it is compared with.

    Raises:
        InputError: If one does not.
    """
    for row in rows.values():
        other = rows[row.against] if row.against is not None else row
        if set(row.tasks).isdisjoint(other.tasks):
            raise InputError(
                f"{row.origin}: has other tasks ({', '.join(row.tasks)}) than {other.name}, which it is compared with "
                f"(expected at least one of {', '.join(other.tasks)})"
            )


def check_dev_data(rows: Mapping[str, Row], tasks: Mapping[str, Mapping[str, Task]], options: JobOptions) -> None:
    """Raise an error unless all rows are scored on the same dev rows of a task.

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
            described = describe_dev(tasks[row.name], configs, flags, options.root)
        except InputError as error:
            raise InputError(f"{row.origin}: {error}") from None
        for task, data in described.items():
            name, before = seen.setdefault(task, (row.name, data))
            if before != data:
                raise InputError(
                    f"{row.origin}: is scored on other dev data of {task} than {name} (expected the same file and rows)"
                )
