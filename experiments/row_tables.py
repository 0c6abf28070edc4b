"""The tables of a comparison of rows: their scores, and each row's difference from the one that it is compared with."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.table import Table
from experiments.cells import format_interval, format_score, format_spread
from experiments.overview import describe
from experiments.results import publish
from experiments.row import Row
from experiments.statistics import seed_interval
from experiments.systems import Difference, System, compare_systems
from runtime.terminal import plain_console


def show(rows: Sequence[Row], systems: Mapping[str, System], every: Mapping[str, Row], output: Path) -> None:
    """Print the tables, and write them as `results.md` and `results.json` into the output folder.

    Args:
        rows: The rows asked for.
        systems: The rows with finished runs.
        every: All rows that there are, along which a row looks for one to be compared with.
        output: Where to write.
    """
    shown = [row for row in rows if row.name in systems]
    differences = compare_rows(shown, systems, every)
    columns = find_columns(shown, systems)
    notes = describe(list(systems.values()))
    tables = [
        build_scores(shown, systems, columns),
        *([build_differences(differences, columns)] if differences else []),
    ]
    sentences = [difference.sentence() for difference in differences]
    publish(output, notes, tables, sentences, to_json(shown, systems, differences), plain_console())


def find_columns(rows: Sequence[Row], systems: Mapping[str, System]) -> tuple[str, ...]:
    """Return the columns that some row has, in the order of the rows' tasks, `mean` last."""
    found = dict.fromkeys(
        name for row in rows for name in (*row.tasks, *systems[row.name].columns) if name in systems[row.name].columns
    )
    return tuple(sorted(found, key=lambda name: name == "mean"))


def compare_rows(rows: Sequence[Row], systems: Mapping[str, System], every: Mapping[str, Row]) -> list[Difference]:
    """Compare each row with the one that it names, or, if that was not run, with the next one along the chain.

    Rows further along the chain that share no task are passed over.
    """
    differences = []
    for row in rows:
        against = row.against
        while against is not None and not _share_tasks(systems[row.name], systems.get(against)):
            against = every[against].against
        if against is not None:
            differences.append(compare_systems(systems[row.name], systems[against]))
    return differences


def _share_tasks(system: System, other: System | None) -> bool:
    return other is not None and not system.metrics.keys().isdisjoint(other.metrics)


def build_scores(rows: Sequence[Row], systems: Mapping[str, System], columns: Sequence[str]) -> Table:
    """Return each row's scores, below the paper's, if any."""
    cells: list[tuple[str, ...]] = []
    for row in rows:
        system = systems[row.name]
        lines = [_count_runs(what, system) for what in ("ours" if row.scores else "last", "best")]
        shown = [[_format(scores, system, name) for name in columns] for scores in (system.last, system.best)]
        if row.scores:
            lines.insert(0, f"paper, table {row.table}")
            shown.insert(0, [format_score(row.scores.get(name)) for name in columns])
        names = [row.name, *[""] * (len(lines) - 1)]
        cells += [(name, line, *scores) for name, line, scores in zip(names, lines, shown, strict=True)]
    return Table("Dev scores", ("row", "", *columns), tuple(cells))


def _count_runs(what: str, system: System) -> str:
    return f"{what}, {len(system.runs)} run{'s' if len(system.runs) > 1 else ''}"


def _format(scores: Mapping[str, Sequence[float]], system: System, column: str) -> str:
    return format_spread(scores[column]) if column in system.columns else ""


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
