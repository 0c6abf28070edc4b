"""The suite of streams: what several label columns of one table cost in one stream, apart, and one of them alone."""

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.coordinator import run_interleaved
from benchmarks.job import Job
from benchmarks.meter import Round
from benchmarks.prepare import prepare_table
from benchmarks.ratios import Clock, Entry, summarise
from benchmarks.serving_entries import Bar, measure_bar
from benchmarks.suites import MINILM

PROGRAMS = {"training": "benchmarks.ours.streams", "prediction": "benchmarks.ours.stream_prediction"}
ONE, STREAM, APART = "ours, one task", "ours, three tasks in one stream", "ours, three tasks apart"
MOST_COST, LEAST_GAIN = 1.1, 2.6


def stream_jobs(shared: Job, program: str) -> dict[str, Job]:
    """Return the jobs of training, or of prediction, by name.

    Args:
        shared: What they have in common.
        program: A key of PROGRAMS.
    """
    job = replace(shared, program=PROGRAMS[program])
    return {
        f"{ONE}, {program}": job,
        f"{STREAM}, {program}": replace(job, num_tasks=3),
        f"{APART}, {program}": replace(job, num_tasks=3, shares_rows=False),
    }


def run_streams(
    options: argparse.Namespace, *, clock: Clock, report: Callable[[str], None]
) -> tuple[list[Entry], list[Bar]]:
    """Measure training and prediction with BERT of MiniLM's shape on invented rows.

    Args:
        options: Rows, rounds and threads.
        clock: What rates and ratios go by.
        report: Called with a line of progress.

    Raises:
        ValueError: If programs did not see the same rows, or not as often as they should.
    """
    entries: list[Entry] = []
    bars: list[Bar] = []
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        shared = Job(
            program="",
            folder=Path(folder),
            workload=replace(MINILM, num_rows=options.rows),
            rounds=options.rounds,
            threads=options.threads,
        )
        prepare_table(shared)
        for program in PROGRAMS:
            rounds = run_interleaved(stream_jobs(shared, program), report=report)
            check_work(rounds, program)
            entries += [summarise(name, done, None, clock=clock) for name, done in rounds.items()]
            bars += measure_stream_bars(rounds, program, clock=clock)
    return entries, bars


def check_work(rounds: Mapping[str, Sequence[Round]], program: str) -> None:
    """Check that each task saw the same rows in all programs, with the tokens of one pass, or of three apart.

    Raises:
        ValueError: If not.
    """
    expected = rounds[f"{ONE}, {program}"][0].work
    for name, done in rounds.items():
        count = 3 if name.startswith(APART) else 1
        for work in (each.work for each in done):
            if (work.examples, work.tokens) != (expected.examples, count * expected.tokens):
                raise ValueError(
                    f"unequal work: {name} had {work.examples} examples and {work.tokens} tokens (expected "
                    f"{expected.examples} and {count * expected.tokens})"
                )


def measure_stream_bars(rounds: Mapping[str, Sequence[Round]], program: str, *, clock: Clock) -> list[Bar]:
    """Return how many times as fast the stream is as one task, and as the three apart."""
    stream, others = f"{STREAM}, {program}", ((ONE, 1 / MOST_COST), (APART, LEAST_GAIN))
    return [measure_bar(stream, f"{other}, {program}", rounds, clock, least) for other, least in others]
