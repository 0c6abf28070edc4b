"""Which members an ensemble takes: chosen on one half of a split, scored on the other."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.combining import combine
from analysis.methods import Method
from analysis.run import Predictions
from analysis.scores import score
from analysis.side_by_side import take

Halves = tuple[NDArray[np.int64], NDArray[np.int64]]  # row numbers of a task


@dataclass(frozen=True)
class HalfScores:
    """The first metric of something on the half that the choice was made on, and on the other half."""

    selected: float
    held_out: float


@dataclass(frozen=True)
class Selection:
    """What greedy forward selection chose for a task, and the baselines to compare it with.

    Args:
        members: Numbers of the chosen members, in the order of their choice.
        ensemble: Scores of the chosen members together.
        all_members: Scores of all members together.
        best_member: Scores of the member that is best on the selected half.
        mean_member: Mean of the members' scores.
    """

    members: list[int]
    ensemble: HalfScores
    all_members: HalfScores
    best_member: HalfScores
    mean_member: HalfScores


def split_halves(count: int, *, seed: int) -> Halves:
    """Cut the rows of a split into two random halves; an odd row falls into the second.

    Args:
        count: Number of rows.
        seed: Seed of the cut.
    """
    order = np.random.default_rng(seed).permutation(count)
    return np.sort(order[: count // 2]), np.sort(order[count // 2 :])


def split_tasks(places: Mapping[str, Sequence[int]], files: Mapping[str, str], *, seed: int) -> dict[str, Halves]:
    """Cut the rows of each task into two random halves; a row of several tasks falls into the same half of each.

    The rows of tasks over one file are cut together, so that nothing is chosen on a row of the other half through
    another task. A task with a file of its own is cut as by `split_halves`, and so are tasks that have the same rows.

    Args:
        places: Line or row of its file that each row of a task stands on, those without a label left out.
        files: Digest of the file of each task.
        seed: Seed of the cut.

    Example:
        >>> halves = split_tasks({"a": [2, 3, 4], "b": [4, 5]}, {"a": "1", "b": "1"}, seed=0)
        >>> {name: [rows.tolist() for rows in each] for name, each in halves.items()}
        {'a': [[0, 2], [1]], 'b': [[0], [1]]}
    """
    found = {}
    for name, own in places.items():
        joint = [places[other] for other in sorted(places) if files[other] == files[name]]
        if len(joint) == 1:
            found[name] = split_halves(len(own), seed=seed)
            continue
        rows = list(dict.fromkeys(one for each in joint for one in each))
        first = {rows[row] for row in split_halves(len(rows), seed=seed)[0]}
        is_first = np.array([one in first for one in own], dtype=bool)
        found[name] = np.flatnonzero(is_first), np.flatnonzero(~is_first)
    return found


def choose_greedily(count: int, value: Callable[[list[int]], float]) -> list[int]:
    """Choose members one after the other, each the one that helps most, as long as the value rises.

    Args:
        count: Number of members to choose from.
        value: Value of some members together; the first wins a tie.

    Source: Caruana et al. 2004, ensemble selection, without its replacement of chosen members.

    Example:
        >>> choose_greedily(3, lambda chosen: {(1,): 2, (1, 2): 3}.get(tuple(chosen), 1))
        [1, 2]
    """
    chosen: list[int] = []
    best = -math.inf
    while len(chosen) < count:
        candidates = [member for member in range(count) if member not in chosen]
        values = [value([*chosen, member]) for member in candidates]
        top = max(values)
        if chosen and top <= best:
            break
        chosen, best = [*chosen, candidates[values.index(top)]], top
    return chosen


def select_members(members: Sequence[Predictions], method: Method, *, seed: int) -> Selection:
    """Choose the members for a task on one half of the split, and score them on both.

    Args:
        members: The members' predictions of the same examples.
        method: How they are combined.
        seed: Seed of the halves.
    """
    halves = [
        [take(member, rows.tolist()) for member in members]
        for rows in split_halves(len(members[0].examples), seed=seed)
    ]

    def value(chosen: list[int], half: int = 0) -> float:
        return first_metric(combine([halves[half][member] for member in chosen], method))

    alone = [[value([member], half) for member in range(len(members))] for half in (0, 1)]
    chosen = choose_greedily(len(members), value)
    everybody = list(range(len(members)))
    best = alone[0].index(max(alone[0]))
    return Selection(
        members=chosen,
        ensemble=HalfScores(value(chosen, 0), value(chosen, 1)),
        all_members=HalfScores(value(everybody, 0), value(everybody, 1)),
        best_member=HalfScores(alone[0][best], alone[1][best]),
        mean_member=HalfScores(float(np.mean(alone[0])), float(np.mean(alone[1]))),
    )


def first_metric(predictions: Predictions) -> float:
    """Return the task's first metric; minus infinity where it is undefined, so that it is never chosen."""
    value = score(predictions)[str(predictions.task.metric_names[0])]
    return -math.inf if math.isnan(value) else value
