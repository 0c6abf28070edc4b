"""`python -m benchmarks --suite training --json FILE`; see README.md in this folder."""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks.coordinator import ROOT, run_interleaved
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
from benchmarks.suites import PRODUCTS, REFERENCE, SUITES
from benchmarks.table import ROWS as TABLE_ROWS
from benchmarks.table import run_table
from runtime.arguments import Arguments

MEASURED_AGAINST_PRODUCTS = ("training", "minilm", "evaluation")
ALL_SUITES = (*SUITES, "streams", "startup", "scale", "table")


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = Arguments("benchmarks", __doc__)
    parser.add_argument(
        "--suite", nargs="+", choices=[*ALL_SUITES, "all"], default=["training"], help="what to measure"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the results")
    parser.add_argument(
        "--data",
        type=Path,
        default=ROOT / "sample_data" / "quora-train.csv",
        metavar="FILE",
        help="sentence pairs in the format of CS224N's quora-dev.csv (default: the sample data)",
    )
    parser.add_argument("--rounds", type=int, default=5, help="measured epochs of each program (default 5)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; with 1 CPU seconds count, with more wall")
    parser.add_argument("--rows", type=int, default=Workload.num_rows, help="examples an epoch (default %(default)s)")
    parser.add_argument("--only", nargs="+", metavar="WORDS", help="only programs whose name contains one of these")
    return parser.parse_args(arguments)


def compare(suite: str, options: argparse.Namespace, console: Console) -> dict[str, Entries]:
    """Measure the programs of a suite, print their table, and return its lists for the JSON file."""
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        shared = Job(
            program="",
            folder=Path(folder),
            workload=replace(next(iter(SUITES[suite].values())).workload, num_rows=options.rows),
            rounds=options.rounds,
            threads=options.threads,
        )
        if suite == "inference":
            prepare_trained(shared, options.data)
        else:
            prepare(shared, options.data, with_sentences=suite == "mlm")
        jobs = choose_jobs(suite, shared, options.only)
        rounds = run_interleaved(jobs, report=lambda line: console.print(f"{suite}: {line}", highlight=False))
        lengths = json.loads(shared.lengths.read_text(encoding="utf-8")) if suite in MEASURED_AGAINST_PRODUCTS else []
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


def choose_jobs(suite: str, shared: Job, only: Sequence[str] | None) -> dict[str, Job]:
    """Return the programs of a suite whose name contains one of some words, on the prepared folder."""
    is_measured = suite in MEASURED_AGAINST_PRODUCTS
    return {
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


def needed_by(workload: Workload, lengths: Sequence[int], *, trains: bool) -> float:
    """Return the FLOPs that an epoch's real tokens need."""
    return needed_flops(
        np.array(lengths),
        num_layers=workload.num_layers,
        hidden_size=workload.hidden_size,
        intermediate_size=workload.intermediate_size,
        trains=trains,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the suites asked for."""
    options = parse_arguments(arguments)
    console = Console(width=140)
    results: dict[str, Entries] = {}
    for suite in ALL_SUITES if "all" in options.suite else options.suite:
        if suite == "startup":
            timed = run_startup(options.rounds, report=lambda line: console.print(f"startup: {line}", highlight=False))
            print_values("startup: seconds", timed, console=console)
            results[suite] = timed
        elif suite == "scale":
            grown = run_scale(ROWS, report=lambda line: console.print(f"scale: {line}", highlight=False))
            print_values("scale: one training split of so many rows", grown, console=console)
            results[suite] = grown
        elif suite == "streams":
            clock: Clock = "cpu" if options.threads == 1 else "wall"
            entries, bars = run_streams(
                options, clock=clock, report=lambda line: console.print(f"streams: {line}", highlight=False)
            )
            print_entries(suite, entries, clock=clock, console=console)
            print_bars(bars, console=console)
            results |= {suite: entries, "streams_bars": bars}
        elif suite == "table":
            started = run_table(
                options.data, TABLE_ROWS, report=lambda line: console.print(f"table: {line}", highlight=False)
            )
            print_values("table: from a CSV file to the first step", started, console=console)
            results[suite] = started
        else:
            results |= compare(suite, options, console)
        if options.json:
            about = {
                **describe_machine(),
                "data": options.data.name,
                "rounds": options.rounds,
                "threads": options.threads,
                "workload": asdict(Workload(num_rows=options.rows)),
            }
            write_json(options.json, results, about)


if __name__ == "__main__":
    main()
