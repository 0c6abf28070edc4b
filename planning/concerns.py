"""What may be wrong with a plan."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from planning.length import Length
from planning.task_plan import TaskPlan

LEFT_OUT = 0.01  # share of a task's rows that may be in no batch without a word
LATE = 0.75  # share of the training after which a task should have been seen once more


@dataclass(frozen=True)
class Concern:
    """Something that may be wrong with a plan.

    Args:
        level: `error` where the training cannot do what the configuration says, else `warning`.
        what: What it is, in a sentence.
    """

    level: Literal["error", "warning"]
    what: str


def find_concerns(
    tasks: Mapping[str, TaskPlan], length: Length, *, warmup_end: int, most_passes: float
) -> Iterator[Concern]:
    """Yield what may be wrong with a plan.

    Args:
        tasks: What the training does with each task.
        length: Its length.
        warmup_end: Last optimiser step of the warm-up; 0 without one.
        most_passes: Passes over a task's rows that are usual.
    """
    for name, task in tasks.items():
        if task.spacing.first is None or task.spacing.last is None:
            yield Concern("error", f"task {name} has no batch in the whole training")
            continue
        yield from (Concern("warning", f"task {name}: {what}") for what in _look_at_batches(task))
        first_step = step_of(task.spacing.first, length)
        if first_step > warmup_end > 0:
            said = f"first seen at step {first_step:,}, after the warm-up, which ends at {warmup_end:,}"
            yield Concern("warning", f"task {name}: {said}")
        if task.visits.passes > most_passes:
            said = f"{task.visits.passes:.1f} passes over its {task.rows:,} rows"
            yield Concern("warning", f"task {name}: {said} (more than {most_passes:g})")
        if task.spacing.last < LATE * sum(length.batches):
            last_step = step_of(task.spacing.last, length)
            said = f"last seen at step {last_step:,} of {length.steps:,}, and may be forgotten by the end"
            yield Concern("warning", f"task {name}: {said}")


def _look_at_batches(task: TaskPlan) -> Iterator[str]:
    if task.batch_size > 1 and task.rows % task.batch_size == 1:
        yield f"the last batch of a pass has one row ({task.rows:,} rows in batches of {task.batch_size})"
    if task.dev_rows > task.rows:
        yield f"its dev split has more rows than its train split ({task.dev_rows:,} and {task.rows:,})"
    if task.unseen > LEFT_OUT * task.rows:
        yield f"{task.unseen:,} of {task.rows:,} rows are in no batch"


def step_of(batch: int, length: Length) -> int:
    """Return the optimiser step that a batch of the training, counted from 1, belongs to.

    Example:
        >>> [step_of(batch, Length(epoch_batches=5, window=2, max_epochs=2)) for batch in (1, 2, 3, 5, 6)]
        [1, 1, 2, 3, 4]
    """
    epoch, inside = divmod(batch - 1, length.epoch_batches)
    return epoch * length.epoch_steps + inside // length.window + 1
