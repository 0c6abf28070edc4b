"""How the texts of an example become sequences."""

from collections.abc import Mapping
from typing import Any, Literal

from runtime.errors import InputError

Encoding = Literal["single", "cross", "bi"]

# What stands for a pair that is encoded both ways; earlier versions had a word for it.
BOTH = "both"
INSTEAD_OF_BOTH = (
    "two tasks over the same pairs: one with encoding: cross, and one with encoding: bi, in_mean: false and teacher: "
    "{task: NAME OF THE FIRST}"
)


def refuse_both(tasks: Mapping[str, Any], where: object) -> None:
    """Refuse saved tasks that an earlier version encoded both ways.

    Args:
        tasks: The tasks by name, as plain data.
        where: The file that holds them.

    Raises:
        InputError: If there is one.
    """
    for name, task in tasks.items():
        options = task.get("init_args") if isinstance(task, Mapping) else None
        if isinstance(options, Mapping) and options.get("encoding") == BOTH:
            raise InputError(f"{where}: task {name} has encoding: both (expected {INSTEAD_OF_BOTH})")
