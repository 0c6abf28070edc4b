"""The suites: each measured, its table printed, and its lists for the JSON file."""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks.coordinator import run_interleaved
from benchmarks.flops import needed_flops
from benchmarks.job import Job, Workload
from benchmarks.output import (
    Entries,
    describe_machine,
    print_bars,
    print_entries,
    print_operators,
    print_serving,
    print_values,
    write_json,
)
from benchmarks.prepare import prepare, prepare_trained
from benchmarks.ratios import Clock, check_equal_work, measure_share, summarise
from benchmarks.scale import ROWS, run_scale
from benchmarks.serving_entries import measure_bars, summarise_serving
from benchmarks.startup import run_startup
from benchmarks.streams import run_streams
from benchmarks.suites import MINILM, PRODUCTS, REFERENCE, SUITES
from benchmarks.table import ROWS as TABLE_ROWS
from benchmarks.table import run_table
from runtime.errors import InputError

MEASURED_AGAINST_PRODUCTS = ("training", "minilm", "evaluation")


def compare(suite: str, options: argparse.Namespace, console: Console) -> dict[str, Entries]:
    """Measure the programs of a suite, print their table, and return its lists for the JSON file."""
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        shared = Job(
            program="",
            folder=Path(folder),
            workload=workload_of(suite, options.rows),
            rounds=options.rounds,
            threads=options.threads,
        )
        jobs = choose_jobs(suite, shared, options.only)
        if suite == "inference":
            prepare_trained(shared, options.data)
        else:
            prepare(shared, options.data, with_sentences=suite == "mlm")
        rounds = run_interleaved(jobs, report=lambda line: console.print(f"{suite}: {line}", highlight=False))
        lengths = json.loads(shared.lengths.read_text(encoding="utf-8")) if suite in MEASURED_AGAINST_PRODUCTS else []
    if not rounds:
        raise InputError(f"--suite {suite}: none of {'; '.join(jobs)} can run here (expected one at least)")
    check_equal_work(rounds)
    clock: Clock = "cpu" if options.threads == 1 else "wall"
    if suite == "inference":
        served, bars = summarise_serving(rounds, clock=clock), measure_bars(rounds, clock=clock)
        print_serving(served, bars, clock=clock, console=console)
        return {suite: served, "inference_bars": bars}
    reference = rounds.get(REFERENCE)
    entries = [summarise(name, done, reference, clock=clock) for name, done in rounds.items()]
    if suite in MEASURED_AGAINST_PRODUCTS:
        flops = needed_by(shared.workload, lengths, trains=suite != "evaluation")
        limits = {name: rounds.get(PRODUCTS[job.precision]) for name, job in jobs.items()}
        entries = [
            measure_share(entry, rounds[entry.name], limits[entry.name], flops=flops, clock=clock) for entry in entries
        ]
    print_entries(suite, entries, clock=clock, console=console)
    print_operators(suite, entries, console=console)
    return {suite: entries}


def workload_of(suite: str, rows: int) -> Workload:
    """Return the work of a suite's programs."""
    shape = MINILM if suite == "streams" else next(iter(SUITES[suite].values())).workload
    return replace(shape, num_rows=rows)


def choose_jobs(suite: str, shared: Job, only: Sequence[str] | None) -> dict[str, Job]:
    """Return the programs of a suite whose name contains one of some words, on the prepared folder.

    Raises:
        InputError: If there is none.
    """
    is_measured = suite in MEASURED_AGAINST_PRODUCTS
    jobs = {
        name: replace(
            job,
            folder=shared.folder,
            workload=shared.workload,
            rounds=shared.rounds,
            threads=shared.threads,
            is_profiled=is_measured and name.startswith("ours"),
        )
        for name, job in SUITES[suite].items()
        if only is None or any(words in name for words in only)
    }
    if not jobs:
        raise InputError(
            f"--only {' '.join(only or ())}: no program of {suite} has that in its name (expected part of one of "
            f"{'; '.join(SUITES[suite])})"
        )
    return jobs


def with_programs(suites: Sequence[str], only: Sequence[str] | None) -> list[str]:
    """Return the suites with a program whose name contains one of some words; all where none has, which is told."""
    found = [
        suite
        for suite in suites
        if only is None or suite not in SUITES or any(words in name for name in SUITES[suite] for words in only)
    ]
    return found or list(suites)


def needed_by(workload: Workload, lengths: Sequence[int], *, trains: bool) -> float:
    """Return the FLOPs that an epoch's real tokens need."""
    return needed_flops(
        np.array(lengths),
        num_layers=workload.num_layers,
        hidden_size=workload.hidden_size,
        intermediate_size=workload.intermediate_size,
        trains=trains,
    )


def measure_suite(suite: str, options: argparse.Namespace, console: Console) -> dict[str, Entries]:
    """Measure a suite, print its table, and return its lists for the JSON file."""

    def report(line: str) -> None:
        console.print(f"{suite}: {line}", highlight=False)

    if suite == "startup":
        timed = run_startup(options.rounds, report=report)
        print_values("startup: seconds", timed, console=console)
        return {suite: timed}
    if suite == "scale":
        grown = run_scale(ROWS, report=report)
        print_values("scale: one training split of so many rows", grown, console=console)
        return {suite: grown}
    if suite == "streams":
        clock: Clock = "cpu" if options.threads == 1 else "wall"
        entries, bars = run_streams(options, clock=clock, report=report)
        print_entries(suite, entries, clock=clock, console=console)
        print_bars(bars, console=console)
        return {suite: entries, "streams_bars": bars}
    if suite == "table":
        started = run_table(options.data, TABLE_ROWS, report=report)
        print_values("table: from a CSV file to the first step", started, console=console)
        return {suite: started}
    return compare(suite, options, console)


def measure(suites: Sequence[str], options: argparse.Namespace) -> None:
    """Measure some suites; the results so far are written after each.

    Raises:
        InputError: If no program has the words of `--only` in its name.
    """
    console = Console(width=140)
    results: dict[str, Entries] = {}
    measured = with_programs(suites, options.only)
    for suite in measured:
        results |= measure_suite(suite, options, console)
        if options.json:
            about = {
                **describe_machine(),
                "data": options.data.name,
                "rounds": options.rounds,
                "threads": options.threads,
                "workloads": {
                    each: asdict(workload_of(each, options.rows)) for each in measured if each in (*SUITES, "streams")
                },
            }
            write_json(options.json, results, about)
