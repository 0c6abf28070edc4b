"""The paper's tables: `python -m analysis.reproduce --rows b1 b2 even --seeds 3 --data.root DIR`; see README.md."""

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from analysis.comparison import Difference, System, check_same_data, compare_systems
from analysis.job_options import JobOptions, add_options, find_file, read_options, run_jobs, split_arguments
from analysis.launcher import Job
from analysis.overview import describe
from analysis.paper_rows import METRICS, RECIPE, PaperRow, choose_rows, read_paper_rows
from analysis.results import publish, to_plain
from analysis.statistics import seed_interval
from analysis.tables import Table, format_interval, format_score, format_spread
from tasks import InputError

COLUMNS = (*METRICS, "mean")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rows asked for and show the table; give the exit status."""
    own, extra = split_arguments(arguments)
    parser = argparse.ArgumentParser(prog="python -m analysis.reproduce", description=__doc__)
    parser.add_argument("--rows", nargs="+", required=True, help="names of files in configs/paper, or all")
    parser.add_argument("--pretrained", help="further pre-trained backbone, for the rows that start from one")
    parser.add_argument("--recipe", help="file laid over configs/paper/recipe.yaml, such as scaled-down.yaml there")
    add_options(parser, output="runs/reproduce")
    parsed = parser.parse_args(own)
    try:
        options = read_options(parsed, extra)
        rows = choose_rows(parsed.rows)
        recipe = find_file(parsed.recipe, "--recipe") if parsed.recipe else None
        jobs = build_jobs(rows, options, pretrained=parsed.pretrained, recipe=recipe)
        status, systems = run_jobs(jobs, options)
        if systems:
            show(rows, systems, options)
        return status
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130


def build_jobs(
    rows: Sequence[PaperRow], options: JobOptions, *, pretrained: str | None, recipe: Path | None
) -> dict[str, list[Job]]:
    """Give the trainings of each row, one a seed.

    Args:
        rows: The rows.
        options: What they share.
        pretrained: Folder of the further pre-trained backbone.
        recipe: File laid over the recipe, below the row's own files.

    Raises:
        InputError: If a row needs a pre-trained backbone and there is none.
    """
    jobs: dict[str, list[Job]] = {}
    for row in rows:
        needs_one = row.needs_pretrained and not options.table_only
        folder = _find_pretrained(row, pretrained, options) if needs_one else None
        configs = [part for path in row.configs for part in ((path, recipe) if path == RECIPE and recipe else (path,))]
        jobs[row.name] = [
            options.job(row.name, seed, configs, tasks=row.tasks, backbone=folder) for seed in options.seed_numbers
        ]
    return jobs


def _find_pretrained(row: PaperRow, pretrained: str | None, options: JobOptions) -> Path:
    if pretrained is not None and (Path(pretrained) / "config.json").is_file():
        return Path(pretrained)
    target = pretrained or "runs/paper-bert"
    backbone = options.backbone or "bert-base-uncased"
    command = ["python", "pretrain.py", "fit", "-c", "configs/pretrain.yaml", "--model.backbone", backbone]
    command += ["--data.root", options.root or "DIR", "--export_dir", target]
    raise InputError(
        f"row {row.name} starts from a further pre-trained backbone: give its folder with --pretrained "
        f"(got {pretrained or 'none'}); this makes one: {shlex.join(command)}"
    )


def show(rows: Sequence[PaperRow], systems: Mapping[str, System], options: JobOptions) -> None:
    """Print the tables, and write them as `results.md` and `results.json` into the output folder."""
    check_same_data(list(systems.values()))
    shown = [row for row in rows if row.name in systems]
    differences = compare_rows(shown, systems)
    notes = describe(list(systems.values()))
    tables = [build_scores(shown, systems), *([build_differences(differences)] if differences else [])]
    sentences = [difference.sentence() for difference in differences]
    publish(options.output, notes, tables, sentences, to_json(shown, systems, differences), Console())


def compare_rows(rows: Sequence[PaperRow], systems: Mapping[str, System]) -> list[Difference]:
    """Compare each row with the one that its file names, or with the nearest that was run of those behind it."""
    every = read_paper_rows()
    differences = []
    for row in rows:
        against = row.against
        while against is not None and against not in systems:
            against = every[against].against
        if against is not None:
            differences.append(compare_systems(systems[row.name], systems[against]))
    return differences


def build_scores(rows: Sequence[PaperRow], systems: Mapping[str, System]) -> Table:
    """Give the paper's scores above ours."""
    cells: list[tuple[str, ...]] = []
    for row in rows:
        system = systems[row.name]
        runs = f"{len(system.runs)} run{'s' if len(system.runs) > 1 else ''}"
        cells.append((row.name, f"paper, table {row.table}", *(format_score(row.scores.get(name)) for name in COLUMNS)))
        for what, scores in ((f"ours, {runs}", system.last), (f"best, {runs}", system.best)):
            cells.append(("", what, *(format_spread(scores[name]) if name in row.scores else "" for name in COLUMNS)))
    return Table("Dev scores", ("row", "", *COLUMNS), tuple(cells))


def build_differences(differences: Sequence[Difference]) -> Table:
    """Give each row's difference to the one that it is compared with."""
    cells = [
        (
            difference.name,
            difference.against,
            *(format_interval(difference.intervals.get(name)) for name in COLUMNS),
            difference.verdict,
        )
        for difference in differences
    ]
    return Table("Differences with 95 % intervals", ("row", "compared with", *COLUMNS, "verdict"), tuple(cells))


def to_json(
    rows: Sequence[PaperRow], systems: Mapping[str, System], differences: Sequence[Difference]
) -> dict[str, Any]:
    """Give all numbers of the tables as plain data; undefined ones are null."""
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
    plain: dict[str, Any] = to_plain({"rows": scored, "differences": compared})
    return plain


if __name__ == "__main__":
    sys.exit(main())
