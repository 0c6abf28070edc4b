from dataclasses import replace

import pytest

from benchmarks.coordinator import run_interleaved
from benchmarks.job import Job

ECHO = "tests.benchmarks.echo_program"


def test_rounds_are_interleaved_in_turning_order_and_missing_peers_are_skipped(job: Job) -> None:
    """A B, B A: every second round is reversed."""
    lines: list[str] = []
    echo, missing = replace(job, program=ECHO), replace(job, program="benchmarks.peers.not_there")
    rounds = run_interleaved({"a": echo, "missing": missing, "b": echo}, report=lines.append)
    assert {name: len(done) for name, done in rounds.items()} == {"a": 2, "b": 2}
    started = sorted((done.work.score, name) for name, all_ in rounds.items() for done in all_)
    assert [name for _, name in started] == ["a", "b", "b", "a"]
    assert "missing: skipped, No module named 'benchmarks.peers.not_there'" in lines


def test_a_program_that_dies_is_named_with_the_end_of_its_log(job: Job) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)broken ended with status 1:.*No module named 'tests.nowhere'"):
        run_interleaved({"broken": replace(job, program="tests.nowhere")}, report=lambda _: None)
