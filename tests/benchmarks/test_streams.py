import io
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.job import Job
from benchmarks.meter import Meter, Round, Work
from benchmarks.ours import stream_prediction, streams
from benchmarks.prepare import prepare_table
from benchmarks.streams import APART, ONE, PROGRAMS, STREAM, check_work, measure_stream_bars, stream_jobs
from tests.benchmarks.conftest import TINY
from tests.benchmarks.rounds import make_round


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Job:
    job = Job(program="", folder=tmp_path_factory.mktemp("streams"), workload=replace(TINY, num_rows=20), rounds=1)
    prepare_table(job)
    return job


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_task_sees_the_same_rows_in_one_stream_apart_and_alone(shared: Job, program: str) -> None:
    rounds: dict[str, list[Round]] = {}
    for name, job in stream_jobs(shared, program).items():
        replies = io.StringIO()
        run = streams.run if program == "training" else stream_prediction.run
        run(job, Meter(io.StringIO("round\n"), replies))
        rounds[name] = [Round.from_json(line) for line in replies.getvalue().splitlines()]
        assert len(rounds[name]) == 2
    assert {done.work.examples for all_ in rounds.values() for done in all_} == {20}
    check_work(rounds, program)
    apart = f"{APART}, {program}"
    unequal = {**rounds, apart: [replace(done, work=Work(examples=20, tokens=1, slots=1)) for done in rounds[apart]]}
    with pytest.raises(ValueError, match=r"unequal work: ours, three tasks apart, .* had 20 examples and 1 tokens"):
        check_work(unequal, program)


def test_the_bars_are_a_tenth_more_than_one_task_and_a_gain_over_three() -> None:
    rounds = {
        f"{name}, training": [make_round(second) for second in seconds]
        for name, seconds in ((ONE, (1.0, 1.0)), (STREAM, (1.25, 1.25)), (APART, (3.0, 4.0)))
    }
    one, apart = measure_stream_bars(rounds, "training", clock="cpu")
    assert (one.ratio, apart.ratio) == (0.8, 2.8)
    assert (one.least, apart.least) == (pytest.approx(1 / 1.1), 2.6)
    assert one.name == "ours, three tasks in one stream, training / ours, one task, training"


def test_programs_are_ours(tmp_path: Path) -> None:
    names = [name for program in PROGRAMS for name in stream_jobs(Job(program="", folder=tmp_path), program)]
    assert len(names) == 6
    assert all(name.startswith("ours") for name in names)
