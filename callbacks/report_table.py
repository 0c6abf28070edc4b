"""The scores of a run as a table."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text


def build_table(metrics: Mapping[str, Any], baseline: Mapping[str, Any], *, title: str) -> Table:
    """Return the scores as a table, each beside the constant prediction's.

    Args:
        metrics: As `collect_metrics` gives them.
        baseline: `{task: {metric: value}}`; may be empty.
        title: Name of the split.
    """
    table = Table(title=f"{title} scores")
    for column in ("task", "metric", "score", *(["majority baseline"] if baseline else [])):
        table.add_column(column, justify="left" if column in ("task", "metric") else "right")
    for name, scores in metrics.items():
        if not isinstance(scores, Mapping):
            continue
        for metric, value in scores.items():
            reference = baseline.get(name, {}).get(metric)
            cells = [name, metric, _cell(value), "" if metric == "loss" or name not in baseline else _cell(reference)]
            table.add_row(*map(Text, cells[: len(table.columns)]))  # a name may look like markup
    overall = [name for name in ("mean", "score") if name in metrics and not isinstance(metrics[name], Mapping)]
    for name in overall:
        if name == overall[0]:
            table.add_section()
        table.add_row(name, "", _cell(metrics[name]))
    return table


def _cell(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
