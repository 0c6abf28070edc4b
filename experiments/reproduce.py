"""Tables of configurations over seeds: `python -m experiments.reproduce --rows b1 b2 even --data.root DIR`.

The rows are those of the paper's tables, or with `--folder configs/methods` each method against plain training;
`python -m experiments.compare` does the same for your own.
"""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.comparison import check_same_data
from experiments.job import Job
from experiments.options import JobOptions, add_options, find_file, read_options, split_arguments
from experiments.row import Row
from experiments.row_tables import show
from experiments.rows import PAPER, choose_rows, lay_recipe, needs_pretrained, read_rows
from experiments.running import run_jobs
from runtime.arguments import Arguments
from runtime.command import command
from runtime.utf8 import use_utf8
from tasks import InputError


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rows asked for and show the table; return the exit status."""
    own, extra = split_arguments(arguments)
    parser = Arguments("experiments.reproduce", __doc__, passes_on="train.py")
    parser.add_argument("--rows", nargs="+", required=True, help="names of files in the folder, or all")
    parser.add_argument("--folder", type=Path, default=PAPER, help="folder of the rows (default: configs/paper)")
    parser.add_argument("--pretrained", help="further pre-trained backbone, for the rows that start from one")
    parser.add_argument("--recipe", help="file laid over the folder's recipe.yaml, such as scaled-down.yaml")
    add_options(parser, output="runs/reproduce")
    parsed = parser.parse_args(own)
    options = read_options(parsed, extra)
    every = read_rows(parsed.folder)
    rows = choose_rows(parsed.rows, every)
    recipe = find_file(parsed.recipe, "--recipe") if parsed.recipe else None
    jobs = build_jobs(rows, options, pretrained=parsed.pretrained, recipe=recipe)
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


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
