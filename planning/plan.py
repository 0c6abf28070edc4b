"""The plan of a training: everything that is known of it before it starts."""

from dataclasses import asdict, dataclass
from typing import Any

from planning.concerns import Concern
from planning.disk import Disk
from planning.length import Length
from planning.moments import Stage
from planning.rates import Rate
from planning.task_plan import TaskPlan
from planning.timing import Expected


@dataclass(frozen=True)
class Plan:
    """What a training does.

    Args:
        name: Name of the configuration.
        schedule: What the order of the tasks follows.
        length: Its length.
        tasks: What it does with each task; of those that share their rows, together, by their names joined by `+`.
        tokens: Tokens of all batches.
        padding_saved: As for a task, over all batches.
        filled: Share of the computed tokens that only fill a static shape up.
        stages: Changes in what is trained.
        rates: The learning rate where it turns.
        validations: Optimiser steps after which a validation comes.
        checkpoints: Optimiser steps after which last.ckpt is written.
        disk: Bytes of the checkpoints.
        expected: Time and memory; None where no step was timed.
        notes: What may change the plan.
        concerns: What may be wrong with it.
    """

    name: str
    schedule: str
    length: Length
    tasks: dict[str, TaskPlan]
    tokens: int
    padding_saved: float
    filled: float
    stages: list[Stage]
    rates: list[Rate]
    validations: list[int]
    checkpoints: list[int]
    disk: Disk
    expected: Expected | None
    notes: list[str]
    concerns: list[Concern]

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        length = {
            "epochs": len(self.length.batches),
            "steps": self.length.steps,
            "batches": sum(self.length.batches),
            "batches_per_step": self.length.window,
        }
        expected = None if self.expected is None else {**asdict(self.expected), "seconds": self.expected.seconds}
        return {**asdict(self), "length": length, "expected": expected}
