"""Tables of configurations over seeds: `python -m experiments.reproduce --rows b1 b2 even --data.root DIR`; see README.

The rows are those of the paper's tables, or with `--folder configs/methods` each method against plain training.
"""

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.command import command
from analysis.table import Table
from experiments.cells import format_interval, format_score, format_spread
from experiments.comparison import Difference, System, check_same_data, compare_systems
from experiments.job import Job
from experiments.options import JobOptions, add_options, find_file, read_options, split_arguments
from experiments.overview import describe
from experiments.results import publish
from experiments.rows import PAPER, Row, choose_rows, read_rows
from experiments.running import run_jobs
from experiments.statistics import seed_interval
from runtime.terminal import plain_console
from runtime.utf8 import use_utf8
from tasks import InputError


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rows asked for and show the table; return the exit status."""
    own, extra = split_arguments(arguments)
    parser = argparse.ArgumentParser(prog="python -m experiments.reproduce", description=__doc__, allow_abbrev=False)
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
        show(rows, systems, every, options)
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
        needs_one = row.needs_pretrained and not options.table_only
        folder = _find_pretrained(row, pretrained, options) if needs_one else None
        configs = row.layers(recipe)
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


def show(rows: Sequence[Row], systems: Mapping[str, System], every: Mapping[str, Row], options: JobOptions) -> None:
    """Print the tables, and write them as `results.md` and `results.json` into the output folder.

    Args:
        rows: The rows asked for.
        systems: The rows with finished runs.
        every: All rows of the folder.
        options: Where to write.
    """
    check_same_data(list(systems.values()))
    shown = [row for row in rows if row.name in systems]
    differences = compare_rows(shown, systems, every)
    columns = find_columns(shown)
    notes = describe(list(systems.values()))
    tables = [
        build_scores(shown, systems, columns),
        *([build_differences(differences, columns)] if differences else []),
    ]
    sentences = [difference.sentence() for difference in differences]
    publish(options.output, notes, tables, sentences, to_json(shown, systems, differences), plain_console())


def find_columns(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the columns that some row has, `mean` last."""
    found = dict.fromkeys(name for row in rows for name in row.columns)
    return tuple(sorted(found, key=lambda name: name == "mean"))


def compare_rows(rows: Sequence[Row], systems: Mapping[str, System], every: Mapping[str, Row]) -> list[Difference]:
    """Compare each row with the one that its file names, or, if that was not run, with the next one along the chain."""
    differences = []
    for row in rows:
        against = row.against
        while against is not None and against not in systems:
            against = every[against].against
        if against is not None:
            differences.append(compare_systems(systems[row.name], systems[against]))
    return differences


def build_scores(rows: Sequence[Row], systems: Mapping[str, System], columns: Sequence[str]) -> Table:
    """Return each row's scores, below the paper's, if any."""
    cells: list[tuple[str, ...]] = []
    for row in rows:
        system = systems[row.name]
        lines = [_count_runs(what, system) for what in ("ours" if row.scores else "last", "best")]
        shown = [[_format(scores, row, name) for name in columns] for scores in (system.last, system.best)]
        if row.scores:
            lines.insert(0, f"paper, table {row.table}")
            shown.insert(0, [format_score(row.scores.get(name)) for name in columns])
        names = [row.name, *[""] * (len(lines) - 1)]
        cells += [(name, line, *scores) for name, line, scores in zip(names, lines, shown, strict=True)]
    return Table("Dev scores", ("row", "", *columns), tuple(cells))


def _count_runs(what: str, system: System) -> str:
    return f"{what}, {len(system.runs)} run{'s' if len(system.runs) > 1 else ''}"


def _format(scores: Mapping[str, Sequence[float]], row: Row, column: str) -> str:
    return format_spread(scores[column]) if column in row.columns else ""


def build_differences(differences: Sequence[Difference], columns: Sequence[str]) -> Table:
    """Return each row's difference from the row that it is compared with."""
    cells = [
        (
            difference.name,
            difference.against,
            *(format_interval(difference.intervals.get(name)) for name in columns),
            difference.verdict,
        )
        for difference in differences
    ]
    return Table("Differences with 95 % intervals", ("row", "compared with", *columns, "verdict"), tuple(cells))


def to_json(rows: Sequence[Row], systems: Mapping[str, System], differences: Sequence[Difference]) -> dict[str, Any]:
    """Return all numbers of the tables as plain data."""
    scored = [
        {
            "row": row.name,
            "table": row.table,
            "title": row.title,
            "paper": row.scores,
            "seeds": systems[row.name].seeds,
            "last": systems[row.name].last,
            "last_over_seeds": {name: vars(seed_interval(scores)) for name, scores in systems[row.name].last.items()},
            "best": systems[row.name].best,
            "runs": [str(run.folder) for run in systems[row.name].runs],
        }
        for row in rows
    ]
    compared = [
        {
            "row": difference.name,
            "against": difference.against,
            "intervals": {name: vars(interval) for name, interval in difference.intervals.items()},
            "p_values": difference.p_values,
            "verdict": difference.verdict,
        }
        for difference in differences
    ]
    return {"rows": scored, "differences": compared}


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
