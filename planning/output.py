"""Where a plan goes: to the terminal, a JSON file, a picture."""

import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from figures import Interleaving, draw_interleaving
from planning.draws import Draws
from planning.lines import describe_concerns, describe_plan
from planning.plan import Plan
from planning.tables import LEGEND, build_amounts, build_comparison, build_epoch_table, build_order
from runtime.terminal import plain_console
from runtime.whole_files import replacing

DOTS_PER_INCH = 150


def show(plans: Sequence[Plan]) -> None:
    """Print one plan in full, or several side by side."""
    console = plain_console()
    if len(plans) > 1:
        console.print(build_comparison(plans))
        for plan in plans:
            for line in describe_concerns(plan):
                console.print(f"{plan.name}: {line}", soft_wrap=True)
        return
    (plan,) = plans
    console.print(build_amounts(plan))
    console.print(build_order(plan))
    console.print(LEGEND, soft_wrap=True)
    epochs = build_epoch_table(plan)
    if epochs is not None:
        console.print(epochs)
    for line in describe_plan(plan):
        console.print(line, soft_wrap=True)


def write_json(path: Path, plans: Sequence[Plan]) -> None:
    """Write plans as `{"plans": [...]}`."""
    with replacing(path) as file:
        file.write(f"{json.dumps({'plans': [plan.as_dict() for plan in plans]}, indent=2)}\n".encode())


def save_figure(path: Path, made: Sequence[tuple[Plan, Draws]]) -> None:
    """Write a picture of the order of the tasks, a panel for each plan."""
    panels = [
        Interleaving(plan.name, draws.tasks, draws.task, plan.length.steps, plan.validations) for plan, draws in made
    ]
    picture = BytesIO()
    draw_interleaving(panels).savefig(picture, format=path.suffix[1:], dpi=DOTS_PER_INCH)
    with replacing(path) as file:
        file.write(picture.getvalue())
