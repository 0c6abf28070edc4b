"""Halves of the dev rows where tasks are labels of one file."""

import numpy as np

from experiments.halving import pair_held_out, take_half
from experiments.systems import Answers, System

ROWS = 60
PLACES = list(range(2, ROWS + 2))
SPARSE = PLACES[::2]


def system(**tasks: list[int]) -> System:
    """Return a system that answered some rows of one file for each task."""
    made = System("made", ())
    answers = {
        name: Answers(np.ones(len(places)), np.ones((1, len(places))), "file", places) for name, places in tasks.items()
    }
    vars(made).update(answers=answers, metrics=dict.fromkeys(tasks, "accuracy"))
    return made


def test_a_row_is_chosen_on_for_all_tasks_of_its_file_or_for_none() -> None:
    both = system(topic=PLACES, stars=SPARSE)
    chosen, held_out = (take_half(both, half, seed=0) for half in (0, 1))
    assert not {*chosen["topic"].places} & {*held_out["stars"].places}
    assert not {*held_out["topic"].places} & {*chosen["stars"].places}
    assert sorted(chosen["stars"].places + held_out["stars"].places) == sorted(SPARSE)
    assert all(len(each.labels) == each.predictions.shape[1] == len(each.places) for each in chosen.values())


def test_systems_are_compared_on_rows_that_neither_was_chosen_on() -> None:
    both, alone = system(topic=PLACES, stars=SPARSE), system(stars=SPARSE)
    (paired,) = pair_held_out(both, alone, seed=0).values()
    assert {*paired.places} == {*take_half(both, 1, seed=0)["stars"].places} & {
        *take_half(alone, 1, seed=0)["stars"].places
    }
    assert len(paired.labels) == paired.first.shape[1] == paired.second.shape[1] == len(paired.places) > 0
