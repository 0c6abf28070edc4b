"""Which classes are shown where there are too many for a figure."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_CLASSES = 30


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
