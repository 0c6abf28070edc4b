"""How long a training may take, the same for all that are compared."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from experiments.settings import class_name, merge_settings, option
from tasks import InputError

Unit = Literal["steps", "examples", "minutes"]


@dataclass(frozen=True)
class Budget:
    """A limit on a training: steps and examples replace the number of epochs, minutes are a limit beside it.

    The epochs stay under minutes because the learning rate's schedule follows the steps, whose number has to be known.

    Args:
        unit: Optimiser steps, training examples (rounded up to whole steps) or minutes of training.
        amount: How many.
    """

    unit: Unit
    amount: int

    def __str__(self) -> str:
        return f"{self.amount:,} {self.unit}"

    def flags(self, step_size: int) -> tuple[str, ...]:
        """Return the flags that hold a training to it.

        Args:
            step_size: Examples an optimiser step.
        """
        if self.unit == "minutes":
            hours, minutes = divmod(self.amount, 60)
            return ("--trainer.max_time", f"{hours // 24:02d}:{hours % 24:02d}:{minutes:02d}:00")
        steps = self.amount if self.unit == "steps" else math.ceil(self.amount / step_size)
        return ("--trainer.max_epochs", "-1", "--trainer.max_steps", str(steps))


def parse_budget(text: str) -> Budget:
    """Read `steps=N`, `examples=N` or `minutes=N`.

    Raises:
        InputError: If it is none of them.

    Example:
        >>> parse_budget("steps=300")
        Budget(unit='steps', amount=300)
    """
    unit, _, amount = text.partition("=")
    if unit not in get_args(Unit) or not amount.isdecimal() or int(amount) < 1:
        raise InputError(f"--budget {text}: expected steps=N, examples=N or minutes=N with a whole number above 0")
    return Budget(unit, int(amount))  # type: ignore[arg-type]


def find_step_size(configs: Sequence[Path], flags: Sequence[str], tasks: Sequence[str]) -> int:
    """Find how many examples an optimiser step of a command has: batches of one size, accumulated; or one of each task.

    The last batch of a task and the last step of an epoch may have fewer.

    Args:
        configs: Its `-c` files in order.
        flags: Its flags behind them.
        tasks: Names of its tasks.

    Raises:
        InputError: If nothing says so, or steps differ.
    """
    settings = merge_settings(configs, flags)
    data, given = settings.get("data") or {}, settings.get("tasks") or {}
    every = {task: option(given.get(task), "batch_size") or data.get("batch_size") for task in tasks}
    sizes = {task: int(size) for task, size in every.items() if size is not None}
    if len(sizes) < len(every):
        raise InputError(f"no data.batch_size in {', '.join(map(str, configs))} (needed for a budget in examples)")
    accumulated = (settings.get("trainer") or {}).get("accumulate_grad_batches") or 1
    if class_name(data.get("schedule")) == "Joint":
        windows = 1 if accumulated == 1 else accumulated // len(sizes)
        return int(windows * sum(sizes.values()))
    if len(set(sizes.values())) > 1:
        said = ", ".join(f"{task} {size}" for task, size in sizes.items())
        raise InputError(
            f"--budget examples=N: the tasks' batches differ in size ({said}; expected one batch_size, or a budget in "
            "steps)"
        )
    return int(accumulated * next(iter(sizes.values())))
