"""Which classes are shown where there are too many for a figure, and how much of a name."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_CLASSES = 30
LONGEST_CLASS = 14  # characters
LONGEST_NAME = 32
LONGEST_TITLE = 60


def pick_classes(weight: NDArray[Any], most: int = MOST_CLASSES) -> NDArray[np.int64]:
    """Return the numbers of the classes with the largest weight, rising; all where they are few.

    Args:
        weight: How much each class is to be seen, (C,); of equal ones the first is taken.
        most: How many classes to return at the most.

    Example:
        >>> pick_classes(np.array([1, 5, 0, 5]), most=2).tolist()
        [1, 3]
    """
    picked: NDArray[np.int64] = np.sort(np.argsort(-weight, kind="stable")[:most])
    return picked


def shorten(name: str, most: int) -> str:
    """Return a name, or both of its ends where it has no room: long names often differ in one of them.

    Args:
        name: The name.
        most: Characters to return at the most.

    Example:
        >>> shorten("quora", most=9), shorten("pairs-of-questions-2", most=9)
        ('quora', 'pair…ns-2')
    """
    if len(name) <= most:
        return name
    end = (most - 1) // 2
    return f"{name[: most - 1 - end]}…{name[len(name) - end :]}"
