from pathlib import Path

import numpy as np
import pytest

from analysis.run import Run
from analysis.selection import choose_greedily, select_members, split_halves, split_tasks
from tests.analysis.written import predict_all, write_run


def test_halves_are_disjoint_cover_all_and_repeat_under_a_seed():
    one, other = split_halves(11, seed=5)
    assert sorted([*one, *other]) == list(range(11))
    assert (len(one), len(other)) == (5, 6)
    assert one.tolist() == split_halves(11, seed=5)[0].tolist()
    assert one.tolist() != split_halves(11, seed=6)[0].tolist()


def test_a_row_falls_into_the_same_half_of_all_tasks_over_its_file():
    rows = [*range(40)]
    places = {"whole": rows, "gaps": rows[::3] + rows[1::3], "own": rows[:30]}
    files = {"whole": "1", "gaps": "1", "own": "2"}
    found = split_tasks(places, files, seed=3)
    first, second = (
        {name: {places[name][row] for row in each[half]} for name, each in found.items()} for half in (0, 1)
    )
    assert not first["whole"] & second["gaps"]
    assert not second["whole"] & first["gaps"]
    assert first["gaps"] | second["gaps"] == {*places["gaps"]}
    assert len(first["whole"]) == 20
    again = split_tasks(dict(reversed(places.items())), files, seed=3)
    assert [half.tolist() for half in again["gaps"]] == [half.tolist() for half in found["gaps"]]


def test_tasks_that_share_no_row_or_all_are_cut_as_alone():
    rows = [*range(31)]
    places = {"one": rows, "other": rows, "own": rows[:20]}
    found = split_tasks(places, {"one": "1", "other": "1", "own": "2"}, seed=3)
    for name, each in places.items():
        assert [half.tolist() for half in found[name]] == [half.tolist() for half in split_halves(len(each), seed=3)]


def test_members_are_added_while_they_help():
    values = {(0,): 1, (1,): 3, (2,): 2, (1, 0): 3, (1, 2): 4, (1, 2, 0): 4}
    assert choose_greedily(3, lambda chosen: values[tuple(chosen)]) == [1, 2]


def test_one_member_is_taken_even_where_nothing_is_defined():
    assert choose_greedily(2, lambda chosen: -np.inf) == [0]


def test_the_right_member_is_chosen_and_both_halves_are_reported(tmp_path: Path, root: Path):
    wrong = {f"t{n}": "0" if n % 2 else "5" for n in range(12)}
    runs = [write_run(tmp_path / name, root, predict_all(**cells)) for name, cells in (("a", wrong), ("b", {}))]
    members = [Run(folder).read_predictions("near") for folder in runs]
    selection = select_members(members, "score", seed=1)
    assert selection.members == [1]
    assert (selection.ensemble.selected, selection.ensemble.held_out) == pytest.approx((1, 1))
    assert selection.best_member == selection.ensemble
    assert selection.mean_member.held_out < 1
    assert selection.all_members.held_out < 1
