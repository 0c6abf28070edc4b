"""A plan as tables and lines."""

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from planning.plan import Plan
from planning.task_plan import TaskPlan
from runtime.terminal import describe_bytes, describe_seconds

SHOWN_EPOCHS = 12
COMPARED = ("batches", "share", "passes")


def build_amounts(plan: Plan) -> Table:
    """Return how much of each task the training draws."""
    table = _new_table(f"plan of {plan.name}: how much", ["rows", "batch", "batches", "share", "examples", "passes"])
    for name, task in plan.tasks.items():
        table.add_row(Text(name), *describe_amounts(task).values())
    return table


def build_order(plan: Plan) -> Table:
    """Return where each task's batches lie, and how large they are."""
    headings = ["first", "last", "mean gap", "largest", "tokens", "most", "padding saved"]
    table = _new_table("in which order, and of what size", headings)
    for name, task in plan.tasks.items():
        spacing = task.spacing
        table.add_row(
            Text(name),
            "-" if spacing.first is None else f"{spacing.first:,}",
            "-" if spacing.last is None else f"{spacing.last:,}",
            f"{spacing.mean_gap:.1f}",
            f"{spacing.largest_gap:,}",
            f"{task.mean_tokens:,.0f}",
            f"{task.most_tokens:,}",
            f"{task.padding_saved:.0%}",
        )
    return table


LEGEND = (
    "first, last: number of the task's first and last batch; gap: batches of other tasks between two of its own; "
    "tokens, most: of a batch, on average and at most."
)


def describe_amounts(task: TaskPlan) -> dict[str, str]:
    """Return how much of a task the training draws, by what it is."""
    visits = task.visits
    return {
        "rows": f"{task.rows:,}",
        "batch": f"{task.batch_size:,}",
        "batches": f"{visits.batches:,}",
        "share": f"{visits.share:.1%}",
        "examples": f"{visits.examples:,}",
        "passes": f"{visits.passes:.2f}",
    }


def _new_table(title: str, headings: Sequence[str]) -> Table:
    """Return a table with a column of tasks and columns of numbers."""
    table = Table(title=Text(title))
    table.add_column("task")
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


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
        for what in COMPARED:
            yield [f"{name}: {what}", *("-" if task is None else describe_amounts(task)[what] for task in found)]
        gaps = ("-" if task is None else f"{task.spacing.largest_gap:,}" for task in found)
        yield [f"{name}: largest gap", *gaps]
    yield ["highest learning rate", *(f"{max((each.rate for each in plan.rates), default=0):.3g}" for plan in plans)]
    yield ["validations", *(f"{len(plan.validations):,}" for plan in plans)]
    yield ["checkpoints on disk", *(describe_bytes(plan.disk.last + plan.disk.best) for plan in plans)]
    if any(plan.expected for plan in plans):
        yield ["time", *("-" if plan.expected is None else describe_seconds(plan.expected.seconds) for plan in plans)]
    yield ["warnings", *(f"{len(plan.concerns):,}" for plan in plans)]
