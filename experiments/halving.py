"""Successive halving: many candidates train briefly, the better ones longer, each recipe with the same budget."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.resampling import score_runs
from analysis.selection import split_tasks
from experiments.statistics import PairedRuns
from experiments.systems import Answers, System, pair_answers

Half = int  # 0: the half of the dev rows that is chosen on; 1: the other, which is reported


@dataclass(frozen=True)
class Rung:
    """One round of a search.

    Args:
        candidates: How many candidates train.
        steps: Optimiser steps of each training.
        seeds: Trainings of each candidate.
    """

    candidates: int
    steps: int
    seeds: int

    @property
    def total_steps(self) -> int:
        """Optimiser steps of the whole round."""
        return self.candidates * self.steps * self.seeds


def lay_rungs(candidates: int, steps: int, *, rungs: int, factor: int, seeds: int) -> list[Rung]:
    """Return the rounds of a search: each keeps 1 / factor of the candidates and trains them factor times as long.

    Args:
        candidates: Candidates of the first round.
        steps: Optimiser steps of its trainings.
        rungs: Number of rounds.
        factor: How fast the number of candidates falls, and the length of training rises.
        seeds: Trainings of each candidate of the last round; one in the others.

    Source: Jamieson & Talwalkar 2016, https://arxiv.org/abs/1502.07943

    Example:
        >>> [(rung.candidates, rung.steps, rung.seeds) for rung in lay_rungs(9, 100, rungs=3, factor=3, seeds=3)]
        [(9, 100, 1), (3, 300, 1), (1, 900, 3)]
    """
    return [
        Rung(math.ceil(candidates / factor**number), steps * factor**number, seeds if number == rungs - 1 else 1)
        for number in range(rungs)
    ]


def take_half(system: System, half: Half, *, seed: int) -> dict[str, Answers]:
    """Return labels and predictions on a half of each task's dev rows.

    Args:
        system: Finished runs.
        half: Which half.
        seed: Seed of the cut.
    """
    answers = system.answers
    places, files = ({name: getattr(each, part) for name, each in answers.items()} for part in ("places", "file"))
    halves = split_tasks(places, files, seed=seed)
    return {name: take_rows(each, halves[name][half]) for name, each in answers.items()}


def take_rows(answers: Answers, rows: NDArray[np.int64]) -> Answers:
    """Return labels and predictions of some rows, given by number."""
    places = [answers.places[row] for row in rows]
    return Answers(answers.labels[rows], answers.predictions[:, rows], answers.file, places)


def score_half(system: System, half: Half, *, seed: int) -> dict[str, list[float]]:
    """Return the first metric of each task on a half of the dev rows, one score per run, and their `mean`."""
    scores = {
        name: score_runs(system.metrics[name], taken.labels, taken.predictions).tolist()
        for name, taken in take_half(system, half, seed=seed).items()
    }
    return {**scores, "mean": np.mean(list(scores.values()), axis=0).tolist()}


def rank(systems: Mapping[int, System], *, seed: int) -> list[int]:
    """Return the numbers of candidates, the best mean on the half that is chosen on first; the lower number wins a tie.

    A candidate one of whose runs has an undefined score comes last.
    """

    def value(number: int) -> float:
        mean = float(np.mean(score_half(systems[number], 0, seed=seed)["mean"]))
        return -math.inf if math.isnan(mean) else mean

    return sorted(systems, key=lambda number: (-value(number), number))


def pair_held_out(first: System, second: System, *, seed: int) -> dict[str, PairedRuns]:
    """Return what two systems predicted for the dev rows that neither was chosen on, by shared task.

    These are the same half of both, but where only one of them has another task over the same rows.
    """
    one, other = take_half(first, 1, seed=seed), take_half(second, 1, seed=seed)
    return {
        name: pair_answers(first.metrics[name], *_take_common(taken, other[name]))
        for name, taken in one.items()
        if name in other
    }


def _take_common(one: Answers, other: Answers) -> tuple[Answers, Answers]:
    if one.places == other.places:
        return one, other
    common = {*one.places} & {*other.places}
    first, second = (
        take_rows(each, np.flatnonzero([place in common for place in each.places])) for each in (one, other)
    )
    return first, second
