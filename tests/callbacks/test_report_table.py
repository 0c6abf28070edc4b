import io
from typing import Any

from rich.console import Console

from callbacks.report_table import build_table


def render(metrics: dict[str, Any], baseline: dict[str, Any], title: str) -> list[list[str]]:
    """Return the cells of the printed table, title and rules left out."""
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(build_table(metrics, baseline, title=title))
    lines = console.export_text().splitlines()
    assert lines[0].strip() == f"{title} scores"
    return [[cell.strip() for cell in line[1:-1].replace("┃", "│").split("│")] for line in lines if line[0] in "│┃"]


def test_the_table_shows_each_score_beside_the_baseline():
    metrics = {"sst": {"accuracy": 0.5, "loss": 1.25}, "sts": {"pearson": None}, "mean": 0.25}
    baseline = {"sst": {"accuracy": 0.2}, "sts": {"pearson": None}}
    assert render(metrics, baseline, "dev") == [
        ["task", "metric", "score", "majority baseline"],
        ["sst", "accuracy", "0.5000", "0.2000"],
        ["sst", "loss", "1.2500", ""],
        ["sts", "pearson", "undefined", "undefined"],
        ["mean", "", "0.2500", ""],
    ]


def test_without_a_baseline_the_table_has_no_such_column():
    assert render({"sst": {"accuracy": 0.5}, "mean": 0.5}, {}, "test") == [
        ["task", "metric", "score"],
        ["sst", "accuracy", "0.5000"],
        ["mean", "", "0.5000"],
    ]


def test_the_table_does_without_a_mean():
    assert render({"text": {"loss": 2.0}}, {}, "dev") == [["task", "metric", "score"], ["text", "loss", "2.0000"]]
