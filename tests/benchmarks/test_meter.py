import io
import time
from pathlib import Path

import pytest
import torch

from benchmarks.job import Job, Workload
from benchmarks.meter import Meter, Round, Work


def test_the_first_epoch_waits_for_nobody_and_the_others_for_the_word_round() -> None:
    commands, replies = io.StringIO("round\n"), io.StringIO()
    meter = Meter(commands, replies)
    for examples in (1, 2):
        meter.begin()
        started = time.process_time()
        while time.process_time() < started + 0.01:
            pass
        meter.end(Work(examples=examples, tokens=3, slots=4))
    rounds = [Round.from_json(line) for line in replies.getvalue().splitlines()]
    assert [done.work.examples for done in rounds] == [1, 2]
    assert all(0.01 <= done.cpu_s <= done.wall_s + 0.01 for done in rounds)
    assert all(done.peak_mib >= done.start_mib > 1 for done in rounds)  # MiB: Python alone takes several


def test_the_word_profile_asks_for_an_epoch_in_which_operators_are_timed() -> None:
    commands, replies = io.StringIO("profile\nround\n"), io.StringIO()
    meter = Meter(commands, replies)
    for _ in range(3):
        meter.begin()
        (torch.ones(200, 200) @ torch.ones(200, 200)).softmax(-1)
        meter.end(Work())
    warm_up, profiled, plain = [Round.from_json(line) for line in replies.getvalue().splitlines()]
    assert warm_up.operators is None
    assert plain.operators is None
    assert profiled.operators is not None
    assert profiled.operators["products"] > 0
    assert profiled.operators["softmax"] > 0
    assert profiled.operators["GELU"] == 0
    assert sum(profiled.operators.values()) <= profiled.cpu_s


def test_a_program_ends_when_nothing_more_is_asked() -> None:
    meter = Meter(io.StringIO(""), io.StringIO())
    meter.begin()
    meter.end(Work())
    with pytest.raises(SystemExit):
        meter.begin()


def test_a_job_survives_its_line(tmp_path: Path) -> None:
    job = Job(program="p", folder=tmp_path, workload=Workload(num_rows=3), precision="bf16", sorts_by_length=True)
    assert Job.from_json(job.to_json()) == job
