"""Steps of an epoch divided in proportion, and smaller shares of them for some tasks."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator


def redistribute(order: np.ndarray, shares: Sequence[float], rng: Generator) -> np.ndarray:
    """Give each task its share of the steps that it had; what one loses goes to the others in proportion.

    The epoch keeps its length and the schedule its form: steps of a reduced task, drawn at random, become steps of the
    others. A task that had steps keeps at least one. Equal shares change nothing.

    Args:
        order: Index of the task at each step, (num_steps,).
        shares: Share of each task, more than 0; only their ratios count.
        rng: The only source of randomness.

    Returns:
        Index of the task at each step, (num_steps,).

    Example:
        >>> redistributed = redistribute(np.array([0, 1] * 6), [0.5, 1.0], np.random.default_rng(0))
        >>> np.bincount(redistributed).tolist()  # 6 * 0.5 : 6 * 1, over 12 steps
        [4, 8]
    """
    if len(set(shares)) <= 1:
        return order
    counts = np.bincount(order, minlength=len(shares))
    present = (counts > 0).astype(np.int64)  # a step each, then the rest in proportion
    targets = present + divide(len(order) - int(present.sum()), counts * np.asarray(shares))
    freed = [
        rng.choice(np.flatnonzero(order == task), size=counts[task] - targets[task], replace=False)
        for task in np.flatnonzero(counts > targets)
    ]
    if not freed:
        return order
    gained = np.repeat(np.arange(len(shares)), np.maximum(targets - counts, 0))
    redistributed = order.copy()
    redistributed[np.sort(np.concatenate(freed))] = rng.permutation(gained)
    return redistributed


def divide(total: int, weights: np.ndarray) -> np.ndarray:
    """Divide steps in proportion to weights by largest remainder; equal remainders go to the earlier task.

    Args:
        total: Number of steps.
        weights: Weight of each task, 0 or more; not all 0.

    Example:
        >>> divide(10, np.array([1.0, 1.0, 1.0])).tolist(), divide(40, np.array([2.0, 6.0])).tolist()
        ([4, 3, 3], [10, 30])
    """
    exact = np.round(total * weights / weights.sum(), 6)  # so that float noise settles no tie: 3.9999999999 is 4
    steps: np.ndarray = np.floor(exact).astype(np.int64)
    largest_first = np.argsort(steps - exact, kind="stable")
    steps[largest_first[: total - int(steps.sum())]] += 1
    return steps
