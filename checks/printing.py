"""The findings on a terminal and as JSON."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from checks.balance import summarise
from checks.finding import SHOWN, Finding, Instance, by_level, count_levels
from checks.running import Checked
from runtime.counts import counted

COLOURS = {"error": "bold red", "warning": "yellow", "note": "dim"}


def print_checked(checked: Checked, root: Path, console: Console) -> None:
    """Print tables of what was measured, then the findings, the worst first; the same advice once.

    Args:
        checked: What the checks found.
        root: Folder of the files; it is left out of their names.
        console: Where to.
    """
    folder = "" if root == Path() else f"{root}/"
    console.print(labels_table(checked))
    console.print(lengths_table(checked))
    if any(checked.shortcuts.values()):
        console.print(shortcuts_table(checked))
    advised = set[str]()
    for finding in by_level(checked.findings):
        console.print(Text.assemble((finding.level, COLOURS[finding.level]), f"  {finding}"), soft_wrap=True)
        for example in finding.examples[:SHOWN]:
            console.print(Text(f"    {without_folder(example, folder)}"), soft_wrap=True)
        if finding.advice not in advised:
            console.print(Text(f"    → {finding.advice}"), soft_wrap=True)
        advised.add(finding.advice)


def without_folder(example: Instance, folder: str) -> Instance:
    """Take a folder out of the names of files, of the row itself and of those that its remark refers to.

    Example:
        >>> print(without_folder(Instance("d/dev.csv, line 2", ("d/e or f",), "also d/train.csv, line 7"), "d/"))
        dev.csv, line 2: d/e or f  [also train.csv, line 7]
    """
    remark = re.sub(rf"\b(also|like) {re.escape(folder)}", r"\1 ", example.remark)
    return replace(example, where=example.where.removeprefix(folder), remark=remark)


def labels_table(checked: Checked) -> Table:
    """Return rows and labels of each split; `constant` is the accuracy of train's most frequent class."""
    lines = [
        (task, split, f"{numbers.rows:,}", summarise(numbers.labels), _share(numbers.constant))
        for task, splits in checked.splits.items()
        for split, numbers in splits.items()
    ]
    return _table("rows and labels", ("task", "split", "rows", "labels", "constant"), lines, texts=("labels",))


def lengths_table(checked: Checked) -> Table:
    """Return tokens an example, what is cut, and the lengths that would cut 1 % and 0.1 % of the rows."""
    lines = [
        (
            *(task, split),
            *(f"{number:,}" for number in (lengths.median, lengths.p95, lengths.longest, lengths.cut, lengths.lost)),
            *(f"{number:,}" for number in (lengths.cuts_one_percent, lengths.cuts_one_in_thousand)),
            f"{numbers.unknown:.2%}",
        )
        for task, splits in checked.splits.items()
        for split, numbers in splits.items()
        for lengths in [numbers.lengths]
    ]
    columns = ("task", "split", "median", "95 %", "most", "cut", "lost", "1 %", "0.1 %", "[UNK]")
    note = "cut: rows, lost: their tokens; 1 %, 0.1 %: the max_length that cuts so many rows"
    return _table("tokens an example", columns, lines, note=note)


def shortcuts_table(checked: Checked) -> Table:
    """Return what single features tell of the label, cross-validated on train: what a model must beat."""
    lines = [
        (task if number == 0 else "", name, shortcuts.metric, f"{score:.3f}")
        for task, shortcuts in checked.shortcuts.items()
        if shortcuts
        for number, (name, score) in enumerate([("constant", shortcuts.constant), *shortcuts.scores.items()])
    ]
    return _table(
        "shortcuts: what a model must beat", ("task", "feature", "metric", "score"), lines, texts=("feature",)
    )


def count_line(findings: Iterable[Finding]) -> str:
    """Return the number of findings of each level.

    Example:
        >>> count_line([])
        '0 errors, 0 warnings, 0 notes'
    """
    counts = count_levels(findings)
    return ", ".join(counted(count, level) for level, count in counts.items())


def as_dict(checked: Checked) -> dict[str, Any]:
    """Return everything as plain data."""
    tasks = {
        task: {
            "splits": {split: numbers.as_dict() for split, numbers in splits.items()},
            "shortcuts": shortcuts.as_dict() if (shortcuts := checked.shortcuts[task]) else None,
        }
        for task, splits in checked.splits.items()
    }
    findings = [finding.as_dict() for finding in by_level(checked.findings)]
    return {"counts": count_levels(checked.findings), "tasks": tasks, "findings": findings}


def _table(
    title: str, columns: Sequence[str], lines: Sequence[Sequence[str]], texts: Sequence[str] = (), note: str = ""
) -> Table:
    """Return a table whose cells are text, never markup; on a narrow terminal they are folded, the widest first."""
    table = Table(title=Text(title), title_justify="left", caption=Text(note) if note else None)
    for column in columns:
        is_text = column in ("task", "split", "metric", *texts)
        table.add_column(Text(column), justify="left" if is_text else "right", overflow="fold")
    for line in lines:
        table.add_row(*map(Text, line))
    return table


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
