"""The steps of a run on each of its tasks, as an estimate of transfer counts them."""

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from experiments.estimating import count_steps
from tasks import InputError


def run(**report: Any) -> Any:
    return Namespace(folder=Path("run"), tasks=dict.fromkeys(("topic", "stars", "sst")), report=report)


def test_a_batch_of_tasks_over_the_same_rows_is_one_of_each() -> None:
    streams = {"topic+stars": {"tasks": ["topic", "stars"], "rows": 9}}
    drawn = {"topic+stars": {"batches": 3, "examples": 9}, "sst": {"batches": 5, "examples": 20}}
    assert count_steps(run(streams=streams, drawn=drawn)) == {"topic": 3, "stars": 3, "sst": 5}


@pytest.mark.parametrize("drawn", [None, {}, {"sst": {"batches": 5}}])
def test_a_run_that_does_not_say_what_it_drew_is_refused(drawn: Any) -> None:
    with pytest.raises(InputError, match=r"run/report\.json: does not say how many batches were drawn of each task"):
        count_steps(run(drawn=drawn))
