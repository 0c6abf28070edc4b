"""How long a training may take, the same for all that are compared."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from tasks import InputError

Unit = Literal["steps", "examples", "minutes"]


@dataclass(frozen=True)
class Budget:
    """A limit that replaces a configuration's number of epochs.

    Args:
        unit: Optimiser steps, training examples (rounded up to whole batches) or minutes of training.
        amount: How many.
    """

    unit: Unit
    amount: int

    def __str__(self) -> str:
        return f"{self.amount:,} {self.unit}"

    def flags(self, batch_size: int) -> tuple[str, ...]:
        """Give the flags that hold a training to it.

        Args:
            batch_size: Examples a step.
        """
        if self.unit == "minutes":
            hours, minutes = divmod(self.amount, 60)
            return ("--trainer.max_time", f"{hours // 24:02d}:{hours % 24:02d}:{minutes:02d}:00")
        steps = self.amount if self.unit == "steps" else math.ceil(self.amount / batch_size)
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


def find_batch_size(configs: Sequence[Path], flags: Sequence[str]) -> int:
    """Find what `--data.batch_size` a command ends up with.

    Args:
        configs: Its `-c` files in order.
        flags: Its flags behind them.

    Raises:
        InputError: If none of them sets it.
    """
    found: Any = None
    for path in configs:
        found = (yaml.safe_load(path.read_text(encoding="utf-8")).get("data") or {}).get("batch_size", found)
    for flag, value in pairwise([*flags, ""]):
        name, given, joined = flag.partition("=")
        if name == "--data.batch_size":
            found = joined if given else value
    if found is None:
        raise InputError(f"no data.batch_size in {', '.join(map(str, configs))} (needed for a budget in examples)")
    return int(found)
