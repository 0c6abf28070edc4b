"""The trainings of the rows of a folder, and their table."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.job import Job
from experiments.options import JobOptions
from experiments.row import Row
from experiments.row_tables import show
from experiments.rows import lay_recipe, needs_pretrained
from experiments.running import run_jobs
from experiments.systems import check_same_data
from experiments.task_values import check_metrics, read_tasks
from tasks import InputError


def train_rows(
    rows: Sequence[Row], every: Mapping[str, Row], options: JobOptions, *, pretrained: str | None, recipe: Path | None
) -> int:
    """Run some rows and show the table; return the exit status.

    Args:
        rows: The rows.
        every: All rows of their folder, by name.
        options: What they share.
        pretrained: As for `build_jobs`.
        recipe: As for `build_jobs`.

    Raises:
        InputError: As `build_jobs`; also if two rows have different first metrics of a task, or finished runs are not
            about the same data.
    """
    jobs = build_jobs(rows, options, pretrained=pretrained, recipe=recipe)
    configs = {row.origin: [*lay_recipe(row, recipe), *options.configs] for row in rows}
    check_metrics({origin: read_tasks(files, options.flags, origin) for origin, files in configs.items()})
    status, systems = run_jobs(jobs, options)
    if systems:
        check_same_data(list(systems.values()))
        show(rows, systems, every, options.output)
    return status


def build_jobs(
    rows: Sequence[Row], options: JobOptions, *, pretrained: str | None, recipe: Path | None
) -> dict[str, list[Job]]:
    """Return the trainings of each row, one per seed.

    Args:
        rows: The rows.
        options: What they share.
        pretrained: Folder of the further pre-trained backbone.
        recipe: File laid over the recipe; the row's own files override it.

    Raises:
        InputError: If a row needs a pre-trained backbone and none is given, no row has a task that is limited, or only
            a part of the dev examples would be scored.
    """
    options.check_limits(task for row in rows for task in row.tasks)
    jobs: dict[str, list[Job]] = {}
    for row in rows:
        needs_one = needs_pretrained(row) and not options.table_only
        folder = _find_pretrained(row, pretrained, options) if needs_one else None
        configs = lay_recipe(row, recipe)
        jobs[row.name] = [
            options.job(row.name, seed, configs, tasks=row.tasks, backbone=folder) for seed in options.seed_numbers
        ]
    return jobs


def _find_pretrained(row: Row, pretrained: str | None, options: JobOptions) -> Path:
    """Return the folder of the further pre-trained backbone; a dry run does not need it to exist."""
    if pretrained is not None and (options.dry_run or (Path(pretrained) / "config.json").is_file()):
        return Path(pretrained)
    target = pretrained or "runs/paper-bert"
    backbone = options.backbone or "bert-base-uncased"
    command = ["python", "pretrain.py", "fit", "-c", "configs/pretrain.yaml", "--model.backbone", backbone]
    command += ["--data.root", options.root or "DIR", "--export_dir", target]
    if pretrained is None:
        wrong = "give its folder with --pretrained"
    else:
        wrong = (
            f"--pretrained {pretrained}: {'no config.json in it' if Path(pretrained).is_dir() else 'no such folder'}"
        )
    raise InputError(
        f"{wrong} (row {row.name} starts from a further pre-trained backbone); this makes one: {shlex.join(command)}"
    )
