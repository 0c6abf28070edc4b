"""What a run shows at its end: its scores as a table, sentences, and where everything lies."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger, TensorBoardLogger
from rich.table import Table
from rich.text import Text

from runtime.terminal import plain_console


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


def show_end(table: Table, lines: Sequence[str], folder: Path, loggers: Sequence[Logger]) -> None:
    """Print the scores of a run, sentences below them, and where everything lies.

    Args:
        table: The scores.
        lines: The sentences.
        folder: The run's folder.
        loggers: Its loggers.
    """
    console = plain_console()
    console.print(table)
    for line in lines:
        console.print(line, soft_wrap=True)
    console.print(f"run folder: {folder}", soft_wrap=True)
    for logger in loggers:
        if isinstance(logger, TensorBoardLogger):
            console.print(f"curves:     tensorboard --logdir {shlex.quote(str(logger.root_dir))}", soft_wrap=True)
