"""Which words and templates a split may use."""

from collections.abc import Sequence
from typing import TypeVar

Option = TypeVar("Option")


def known(options: Sequence[Option], *, held_out: bool) -> Sequence[Option]:
    """Give the options a split draws from; the last quarter of every list never occurs in training.

    Args:
        options: Words or templates.
        held_out: True for dev and test, which use the whole list.

    Returns:
        All options, or the first three quarters, rounded up.
    """
    return options if held_out else options[: -(-3 * len(options) // 4)]
