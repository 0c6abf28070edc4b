"""A plan as tables and lines."""

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from planning.plan import Plan
from planning.task_plan import TaskPlan
from runtime.terminal import describe_bytes, describe_seconds

SHOWN_EPOCHS = 12


def build_task_table(plan: Plan) -> Table:
    """Return a row for each task: how much of it the training draws, how evenly, and with how much padding saved."""
    table = Table(title=Text(f"plan of {plan.name}"))
    table.add_column("task")
    for heading in (
        "rows",
        "batch",
        "batches",
        "share",
        "examples",
        "passes",
        "first",
        "last",
        "gap",
        "most",
        "tokens",
    ):
        table.add_column(heading, justify="right")
    table.add_column("most", justify="right")
    table.add_column("padding saved", justify="right")
    for name, task in plan.tasks.items():
        table.add_row(Text(name), *_task_cells(task))
    return table


def _task_cells(task: TaskPlan) -> list[str]:
    visits, spacing = task.visits, task.spacing
    return [
        f"{task.rows:,}",
        f"{task.batch_size:,}",
        f"{visits.batches:,}",
        f"{visits.share:.1%}",
        f"{visits.examples:,}",
        f"{visits.passes:.2f}",
        "-" if spacing.first is None else f"{spacing.first:,}",
        "-" if spacing.last is None else f"{spacing.last:,}",
        f"{spacing.mean_gap:.1f}",
        f"{spacing.largest_gap:,}",
        f"{task.mean_tokens:,.0f}",
        f"{task.most_tokens:,}",
        f"{task.padding_saved:.0%}",
    ]


COMPARED = {"batches": 2, "share": 3, "passes": 5, "largest gap": 9}  # of a task, by its place among the cells
LEGEND = (
    "first, last: number of the task's first and last batch. gap, most: batches of other tasks between two of its own, "
    "on average and at most. tokens, most: of a batch."
)


def build_epoch_table(plan: Plan) -> Table | None:
    """Return the batches of each task by epoch; None where all whole epochs are alike."""
    rows = [[task.epochs[epoch].batches for task in plan.tasks.values()] for epoch in range(len(plan.length.batches))]
    if len({tuple(row) for row in rows}) <= 1:
        return None
    table = Table(title="batches by epoch")
    table.add_column("epoch", justify="right")
    for name in plan.tasks:
        table.add_column(Text(name), justify="right")
    for number, row in enumerate(rows[:SHOWN_EPOCHS]):
        table.add_row(str(number + 1), *(f"{count:,}" for count in row))
    if len(rows) > SHOWN_EPOCHS:
        table.add_row("...", *("" for _ in plan.tasks))
    return table


def build_comparison(plans: Sequence[Plan]) -> Table:
    """Return a column for each of several plans."""
    table = Table(title="plans side by side")
    table.add_column("")
    for plan in plans:
        table.add_column(Text(plan.name), justify="right")
    for name, *cells in _compare(plans):
        table.add_row(Text(name), *(Text(cell) for cell in cells))
    return table


def _compare(plans: Sequence[Plan]) -> Iterator[list[str]]:
    """Yield rows: what is compared, then a cell for each plan."""
    yield ["schedule", *(plan.schedule for plan in plans)]
    yield ["epochs", *(f"{len(plan.length.batches):,}" for plan in plans)]
    yield ["optimiser steps", *(f"{plan.length.steps:,}" for plan in plans)]
    yield ["batches", *(f"{sum(plan.length.batches):,}" for plan in plans)]
    yield ["tokens", *(f"{plan.tokens:,}" for plan in plans)]
    yield ["padding saved", *(f"{plan.padding_saved:.0%}" for plan in plans)]
    for name in dict.fromkeys(name for plan in plans for name in plan.tasks):
        found = [plan.tasks.get(name) for plan in plans]
        for heading, place in COMPARED.items():
            yield [f"{name}: {heading}", *("-" if task is None else _task_cells(task)[place] for task in found)]
    yield ["highest learning rate", *(f"{max((each.rate for each in plan.rates), default=0):.3g}" for plan in plans)]
    yield ["validations", *(f"{len(plan.validations):,}" for plan in plans)]
    yield ["checkpoints on disk", *(describe_bytes(plan.disk.last + plan.disk.best) for plan in plans)]
    if any(plan.expected for plan in plans):
        yield ["time", *("-" if plan.expected is None else describe_seconds(plan.expected.seconds) for plan in plans)]
    yield ["warnings", *(f"{len(plan.concerns):,}" for plan in plans)]
