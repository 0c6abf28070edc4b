"""Intervals of differences where several tasks are scored on the same rows."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from experiments.statistics import Interval, PairedRuns, compare
from experiments.systems import System, compare_systems
from tests.experiments.run_folders import almost_right, make_job, write_run

ROWS = 300
PLACES = range(2, ROWS + 2)


def pair(rng: np.random.Generator, file: str | None, places: Sequence[int] = PLACES) -> PairedRuns:
    first, second = ((rng.random((1, len(places))) < share).astype(float) for share in (0.8, 0.7))
    return PairedRuns("accuracy", np.ones(len(places)), first, second, file, places)


def width(interval: Interval) -> float:
    return interval.high - interval.low


def test_equal_tasks_over_the_same_rows_are_as_uncertain_together_as_alone() -> None:
    tasks = {name: pair(np.random.default_rng(0), "file") for name in ("topic", "stars")}
    found = compare(tasks)
    assert found["topic"] == found["stars"] == found["mean"]
    apart = compare({name: pair(np.random.default_rng(0), name) for name in tasks})
    assert width(apart["mean"]) / width(found["mean"]) == pytest.approx(0.5**0.5, rel=0.1)


def test_a_task_keeps_its_draws_where_no_other_has_its_rows() -> None:
    alone = compare({"topic": pair(np.random.default_rng(0), None)})["topic"]
    for file in ("topic", None):
        tasks = {"topic": pair(np.random.default_rng(0), file), "other": pair(np.random.default_rng(1), "other")}
        assert compare(tasks)["topic"] == alone


def test_rows_that_one_task_lacks_are_drawn_with_the_others() -> None:
    """Half of the rows of one, in another order, are those of the other one: they draw the same ones."""
    whole = pair(np.random.default_rng(0), "file")
    rows = np.random.default_rng(1).permutation(ROWS)[: ROWS // 2]
    part = PairedRuns(
        "accuracy",
        whole.labels[rows],
        whole.first[:, rows],
        whole.second[:, rows],
        "file",
        [PLACES[row] for row in rows],
    )
    joint, apart = (
        compare({"whole": whole, "part": PairedRuns(**{**vars(part), "file": file})})["mean"] for file in ("file", "b")
    )
    assert width(joint) > 1.1 * width(apart)


def test_systems_compare_tasks_of_one_file_together(tmp_path: Path, cs224n_root: Path) -> None:
    systems = []
    for name, wrong in (("good", 1), ("poor", 5)):
        job = make_job(tmp_path, name)
        write_run(job, cs224n_root, almost_right(cs224n_root, wrong=wrong))
        systems.append(System(name, (job,)))
    answers = systems[0].answers
    assert len({each.file for each in answers.values()}) == 3
    assert answers["sst"].places == list(range(2, 14))
    assert compare_systems(*systems).intervals.keys() == {"sst", "quora", "sts", "mean"}
