"""Sets of tasks to train on: which there are, and which of them can be trained."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Literal

from tasks import Task

Sets = Literal["singles", "pairs", "all"]


def choose_sets(tasks: tuple[str, ...], kinds: Sequence[Sets]) -> list[tuple[str, ...]]:
    """Return the sets of tasks of some kinds, each once.

    Example:
        >>> choose_sets(("a", "b", "c"), ["singles", "all"])
        [('a',), ('b',), ('c',), ('a', 'b', 'c')]
    """
    sizes = {"singles": 1, "pairs": 2, "all": len(tasks)}
    chosen = (subset for kind in kinds for subset in combinations(tasks, sizes[kind]))
    return list(dict.fromkeys(chosen))


def name_set(tasks: Sequence[str]) -> str:
    """Name a set of tasks: `sst+sts`."""
    return "+".join(tasks)


def find_obstacle(subset: Sequence[str], tasks: Mapping[str, Task]) -> str | None:
    """Return why train.py could not train on a set of tasks; None where it can.

    Args:
        subset: Names of the set's tasks.
        tasks: All tasks by name.
    """
    if not any(tasks[name].in_mean for name in subset):
        return "in_mean: false leaves it without a score"
    for name in subset:
        teacher = tasks[name].taught_by
        if teacher is not None and teacher not in subset:
            return f"{teacher}, which teaches {name}, is not in it"
    return None
