"""The whole benchmark in its order, and its tables."""

import argparse
import gc
import json
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.gpu.equality import Equality, check_equality
from benchmarks.gpu.hf_trainer import run_hf_trainer
from benchmarks.gpu.measuring import StepTimes, matmul_ceiling
from benchmarks.gpu.ours import VARIANTS, run_ours
from benchmarks.gpu.workload import (
    EPOCH,
    SIZES,
    TINY,
    Size,
    Work,
    draw_work,
    flops_of_step,
    write_pairs,
    write_synthetic,
)
from benchmarks.output import describe_machine
from datamodules import TokenStore
from runtime.errors import InputError, reason_of
from runtime.whole_files import replacing_text

Entry = dict[str, Any]
Measure = Callable[[Work, Size, torch.device, Path], StepTimes]
PEER = "HF Trainer bf16"


def run(options: argparse.Namespace) -> bool:
    """Run everything, print it and write it; return whether all numbers are those of the padded model.

    Raises:
        InputError: If no program has the words of `--only` in its name, or the data cannot be read.
    """
    size = TINY if options.tiny else SIZES[options.size]
    size = replace(size, batch_sizes=tuple(options.batch_sizes or size.batch_sizes))
    chosen = choose_programs(options.only)
    device = torch.device("cuda", 0) if options.device == "cuda" else torch.device("cpu")
    console, started = Console(width=150), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tandem-gpu-") as name:
        folder = Path(name)
        store = write_store(folder / "pairs.arrow", size, options)
        equalities = check_equality(size, device)
        print_equalities(equalities, console)
        ceilings = {
            name: matmul_ceiling(size.matmul_size, device, dtype)
            for name, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32))
        }
        console.print(", ".join(f"matmul ceiling {name}: {rate:.3g} TFLOP/s" for name, rate in ceilings.items()))
        results: Entry = {
            "about": {**describe_machine(), "device": device_name(device), "size": asdict(size)},
            "equality": [{**asdict(entry), "holds": entry.holds} for entry in equalities],
            "matmul_tflops": ceilings,
            "steps": [],
        }
        write_results(options.json, results)
        for batch_size in size.batch_sizes:
            programs = programs_of(chosen, is_first=batch_size == size.batch_sizes[0])
            if not programs:
                continue
            work, ends_at = draw_work(store, batch_size, size), started + options.time_limit
            for entry in measure_programs(programs, work, size, device, folder, ends_at=ends_at):
                results["steps"].append(with_share(entry, ceilings["bf16"]))
                write_results(options.json, results)
            print_steps(batch_size, results["steps"][-len(programs) :], console)
    console.print(f"done in {time.monotonic() - started:.0f} s")
    return all(entry.holds for entry in equalities)


def choose_programs(only: Sequence[str] | None) -> list[str]:
    """Return the programs whose name contains one of some words, the peer first.

    Raises:
        InputError: If there is none.
    """
    names = [PEER, *VARIANTS]
    chosen = [name for name in names if only is None or any(words in name for words in only)]
    if not chosen:
        raise InputError(
            f"--only {' '.join(only or ())}: no program has that in its name (expected part of one of "
            f"{'; '.join(names)})"
        )
    return chosen


def programs_of(chosen: Sequence[str], *, is_first: bool) -> dict[str, Measure]:
    """Return what measures each chosen program; some are measured with the first batch size only."""
    return {
        name: run_hf_trainer if name == PEER else partial(run_ours, VARIANTS[name])
        for name in chosen
        if name == PEER or is_first or VARIANTS[name].for_all_batch_sizes
    }


def write_store(path: Path, size: Size, options: argparse.Namespace) -> TokenStore:
    """Write the pairs that all batches are drawn from."""
    num_rows = max(8 * max(size.batch_sizes), 0 if options.tiny else 20_000)
    if options.data is None:
        return write_synthetic(path, num_rows, size.max_length)
    return write_pairs(path, options.data, num_rows, size.max_length, tokenizer_of=options.tokenizer)


def write_results(path: Path | None, results: Entry) -> None:
    """Write what there is so far: of a run that is ended from outside, what it has measured is kept."""
    if path is not None:
        with replacing_text(path) as file:
            file.write(json.dumps(results, indent=2) + "\n")


def measure_programs(
    programs: Mapping[str, Measure], work: Work, size: Size, device: torch.device, folder: Path, *, ends_at: float
) -> Iterator[Entry]:
    """Measure programs on the same batches, one by one.

    One that fails, or finds no time left, is listed with the reason; a traceback goes to stderr.

    Args:
        programs: What measures each, by name.
        work: The batches.
        size: The model's shape, and how many steps.
        device: Where they run.
        folder: For what they write.
        ends_at: When no further one starts, by the monotonic clock.
    """
    for program, measure in programs.items():
        entry: Entry = {"name": program, "batch_size": len(work.order[0].rows)}
        begun = time.monotonic()
        if begun > ends_at:
            yield {**entry, "reason": "no time left"}
            continue
        try:
            times = measure(work, size, device, folder)
        except Exception as error:  # one program must not end the others
            traceback.print_exc()
            yield {**entry, "reason": reason_of(error)[:200]}
        else:
            set_up_s = time.monotonic() - begun - size.steps * times.ms_per_step / 1e3
            yield {**entry, **asdict(times), **rates(work, size, times.ms_per_step), "set_up_s": set_up_s}
        finally:
            free_memory(device)


def rates(work: Work, size: Size, ms_per_step: float) -> Entry:
    """Return what a step's milliseconds mean: tokens, examples and TFLOP per second, and the seconds of an epoch."""
    steps = range(size.warm_steps, size.warm_steps + size.steps)
    batch_size = len(work.order[0].rows)
    tokens = float(np.mean([work.lengths(step).sum() for step in steps]))
    flops = float(np.mean([flops_of_step(work.lengths(step), size) for step in steps]))
    return {
        "tokens_per_s": 1e3 * tokens / ms_per_step,
        "examples_per_s": 1e3 * batch_size / ms_per_step,
        "tflops": flops / ms_per_step / 1e9,
        "epoch_s": EPOCH / batch_size * ms_per_step / 1e3,
    }


def with_share(entry: Entry, ceiling: float) -> Entry:
    """Add the share of the measured product's TFLOP/s to the entry of a program that ran."""
    return {**entry, "share_of_ceiling": entry["tflops"] / ceiling} if "tflops" in entry else entry


def free_memory(device: torch.device) -> None:
    """Free what a program and its compiled graphs held; after an error of the device nothing of it can be freed."""
    gc.collect()
    torch.compiler.reset()
    if device.type == "cuda":
        with suppress(RuntimeError):
            torch.cuda.empty_cache()


def device_name(device: torch.device) -> str:
    """Name the device."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"


def print_equalities(entries: list[Equality], console: Console) -> None:
    """Print how far each way to compute is from the padded model."""
    table = Table("", "pooled", "gradients", "limit", "", title="largest relative difference to the padded model")
    for entry in entries:
        verdict = f"not here: {entry.reason}" if entry.reason else ("equal" if entry.holds else "DIFFERENT")
        verdict = f"FAILS: {entry.error}" if entry.error else verdict
        cells = ["-" if value is None else f"{value:.1e}" for value in (entry.pooled, entry.gradient, entry.limit)]
        table.add_row(entry.name, *cells, verdict)
    console.print(table)


def print_steps(batch_size: int, entries: list[Entry], console: Console) -> None:
    """Print the programs of a batch size."""
    columns = {
        "ms/step": ("ms_per_step", ".2f"),
        "tokens/s": ("tokens_per_s", ",.0f"),
        "TFLOP/s": ("tflops", ".3g"),
        "of ceiling": ("share_of_ceiling", ".1%"),
        "launches": ("launches_per_step", ",.0f"),
        "busy": ("busy_share", ".0%"),
        "peak MiB": ("peak_mib", ",.0f"),
        "epoch s": ("epoch_s", ",.1f"),
        "set-up s": ("set_up_s", ",.0f"),
    }
    table = Table("program", *columns, title=f"a step of {batch_size} question pairs")
    for entry in entries:
        if "reason" in entry:
            table.add_row(entry["name"], entry["reason"])
            continue
        values = [(entry[key], form) for key, form in columns.values()]
        table.add_row(entry["name"], *["-" if value is None else format(value, form) for value, form in values])
    console.print(table)
