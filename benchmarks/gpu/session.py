"""The whole benchmark in its order, and its tables."""

import argparse
import gc
import json
import tempfile
import time
from collections.abc import Callable
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
from benchmarks.gpu.measuring import StepTimes, first_line, matmul_ceiling
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
from runtime.whole_files import replacing_text

Entry = dict[str, Any]
PEER = "HF Trainer bf16"


def run(options: argparse.Namespace) -> bool:
    """Run everything, print it and write it; return whether all numbers are those of the padded model."""
    size = TINY if options.tiny else SIZES[options.size]
    size = replace(size, batch_sizes=tuple(options.batch_sizes or size.batch_sizes))
    device = torch.device("cuda", 0) if options.device == "cuda" else torch.device("cpu")
    console, started = Console(width=150), time.monotonic()
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
    for batch_size in size.batch_sizes:
        entries = measure_batch_size(batch_size, size, device, options, started=started, ceiling=ceilings["bf16"])
        print_steps(batch_size, entries, console)
        results["steps"] += entries
        if options.json:
            with replacing_text(options.json) as file:
                file.write(json.dumps(results, indent=2) + "\n")
    console.print(f"done in {time.monotonic() - started:.0f} s")
    return all(entry.holds for entry in equalities)


def measure_batch_size(
    batch_size: int,
    size: Size,
    device: torch.device,
    options: argparse.Namespace,
    *,
    started: float,
    ceiling: float,
) -> list[Entry]:
    """Measure every program on the same batches; one that fails or finds no time left is listed with the reason."""
    entries = []
    with tempfile.TemporaryDirectory(prefix="tandem-gpu-") as name:
        folder = Path(name)
        num_rows = 8 * max(size.batch_sizes) if options.tiny else 20_000
        path = folder / "pairs.arrow"
        if options.data is None:
            store = write_synthetic(path, num_rows, size.max_length)
        else:
            store = write_pairs(path, options.data, num_rows, size.max_length, tokenizer_of=options.tokenizer)
        work = draw_work(store, batch_size, size)
        programs: dict[str, Callable[[Work, Size, torch.device, Path], StepTimes]] = {
            PEER: run_hf_trainer,
            **{
                name: partial(run_ours, variant)
                for name, variant in VARIANTS.items()
                if variant.for_all_batch_sizes or batch_size == size.batch_sizes[0]
            },
        }
        for program, measure in programs.items():
            if options.only is not None and not any(words in program for words in options.only):
                continue
            if time.monotonic() - started > options.time_limit:
                entries.append({"name": program, "batch_size": batch_size, "reason": "no time left"})
                continue
            entries.append(_measure(program, measure, work, size, device, folder, ceiling=ceiling))
    return entries


def _measure(
    program: str,
    measure: Callable[[Work, Size, torch.device, Path], StepTimes],
    work: Work,
    size: Size,
    device: torch.device,
    folder: Path,
    *,
    ceiling: float,
) -> Entry:
    batch_size = len(work.order[0].rows)
    begun = time.monotonic()
    try:
        times = measure(work, size, device, folder)
    except Exception as error:  # one program must not end the others
        return {"name": program, "batch_size": batch_size, "reason": first_line(error)}
    finally:
        free_memory(device)
    steps = range(size.warm_steps, size.warm_steps + size.steps)
    tokens = float(np.mean([work.lengths(step).sum() for step in steps]))
    tflops = float(np.mean([flops_of_step(work.lengths(step), size) for step in steps])) / times.ms_per_step / 1e9
    return {
        "name": program,
        "batch_size": batch_size,
        **asdict(times),
        "tokens_per_s": 1e3 * tokens / times.ms_per_step,
        "examples_per_s": 1e3 * batch_size / times.ms_per_step,
        "tflops": tflops,
        "share_of_ceiling": tflops / ceiling,
        "epoch_s": EPOCH / batch_size * times.ms_per_step / 1e3,
        "set_up_s": time.monotonic() - begun - (size.steps * times.ms_per_step) / 1e3,
    }


def free_memory(device: torch.device) -> None:
    """Return back what a program and its compiled graphs held."""
    gc.collect()
    torch.compiler.reset()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def device_name(device: torch.device) -> str:
    """Name the device."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"


def print_equalities(entries: list[Equality], console: Console) -> None:
    """Print how far each way to compute is from the padded model."""
    table = Table("", "pooled", "gradients", "limit", "", title="largest relative difference to the padded model")
    for entry in entries:
        verdict = f"not here: {entry.reason}" if entry.reason else ("equal" if entry.holds else "DIFFERENT")
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
