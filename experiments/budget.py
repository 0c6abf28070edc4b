"""How long a training may take, the same for all that are compared."""

from dataclasses import dataclass
from typing import Literal, get_args

from runtime.errors import InputError

Unit = Literal["steps", "minutes"]


@dataclass(frozen=True)
class Budget:
    """A limit on a training: steps replace the number of epochs, minutes are a further limit.

    The epochs stay under minutes because the learning rate's schedule follows the steps, whose number has to be known.

    Args:
        unit: Optimiser steps or minutes of training.
        amount: How many.
    """

    unit: Unit
    amount: int

    def flags(self) -> tuple[str, ...]:
        """Return the flags of train.py that set the limit.

        Example:
            >>> Budget("minutes", 90).flags()
            ('--trainer.max_time', '00:01:30:00')
        """
        if self.unit == "minutes":
            hours, minutes = divmod(self.amount, 60)
            return ("--trainer.max_time", f"{hours // 24:02d}:{hours % 24:02d}:{minutes:02d}:00")
        return ("--trainer.max_epochs", "-1", "--trainer.max_steps", str(self.amount))


def parse_budget(text: str) -> Budget:
    """Read `steps=N` or `minutes=N`.

    Raises:
        InputError: If the text is neither.

    Example:
        >>> parse_budget("steps=300")
        Budget(unit='steps', amount=300)
    """
    unit, _, amount = text.partition("=")
    if unit not in get_args(Unit) or not amount.isdecimal() or int(amount) < 1:
        raise InputError(f"--budget {text}: expected steps=N or minutes=N with a whole number above 0")
    return Budget(unit, int(amount))  # type: ignore[arg-type]
