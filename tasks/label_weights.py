"""How much each label counts in the loss."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.labels import list_names

ClassWeights = Literal["balanced"] | dict[str, float]


def by_name(values: Mapping[Any, float]) -> dict[str, float]:
    """Return values by the names of classes, which YAML reads as numbers where they look like some.

    Example:
        >>> by_name({4: 2.0, "no": 1.0})
        {'4': 2.0, 'no': 1.0}
    """
    return {str(name): value for name, value in values.items()}


def check_weights(weights: ClassWeights | None, names: Sequence[str]) -> None:
    """Check weights that were given by class.

    Args:
        weights: By class; None for none.
        names: The classes.

    Raises:
        ValueError: If there is no such class, or a weight is not above 0.
    """
    for name, weight in by_name(weights).items() if isinstance(weights, dict) else ():
        if name not in names:
            raise ValueError(f"class_weights has {name!r} (expected {list_names(names)})")
        if not 0 < weight < math.inf:
            raise ValueError(f"the weight of class {name} is {weight} (expected above 0)")


def weigh_classes(
    weights: ClassWeights | None, names: Sequence[str], counts: NDArray[np.int64]
) -> NDArray[np.float32] | None:
    """Return the weight of each class, (C,); None where all count alike.

    `balanced` is n / (C * rows of the class), as in scikit-learn: their mean over the rows is 1 where every class has
    some.

    Args:
        weights: What the task says.
        names: The classes.
        counts: Training rows of each class, (C,).
    """
    if weights is None:
        return None
    if isinstance(weights, dict):
        return _named(weights, names)
    balanced: NDArray[np.float32] = (counts.sum() / (len(counts) * np.maximum(counts, 1))).astype(np.float32)
    return balanced


def weigh_answers(
    weights: ClassWeights | None, names: Sequence[str], counts: NDArray[np.int64], rows: int
) -> NDArray[np.float32] | None:
    """Return the weights of no and yes for each label of a set, (2, C); None where all count alike.

    Args:
        weights: What the task says; by label they are those of yes.
        names: The labels.
        counts: Training rows that have each label, (C,).
        rows: Training rows.
    """
    if weights is None:
        return None
    if isinstance(weights, dict):
        yes = _named(weights, names)
        return np.stack([np.ones_like(yes), yes])
    answers = np.stack([rows - counts, counts])  # (2, C)
    return (rows / (2 * np.maximum(answers, 1))).astype(np.float32)


def _named(weights: Mapping[Any, float], names: Sequence[str]) -> NDArray[np.float32]:
    found = by_name(weights)
    return np.array([found.get(name, 1.0) for name in names], dtype=np.float32)
