"""The tables and the JSON file."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.ratios import Clock, Entry
from benchmarks.serving_entries import Bar, ServingEntry
from runtime.processor import processor
from runtime.whole_files import replacing_text

PACKAGES = ("torch", "lightning", "transformers", "accelerate", "sentence-transformers", "onnxruntime")
Entries = Sequence[Entry | ServingEntry | Bar | Mapping[str, Any]]


def print_entries(suite: str, entries: Sequence[Entry], *, clock: Clock, console: Console) -> None:
    """Print the comparison of a suite."""
    table = Table(title=f"{suite}: examples per {'CPU' if clock == 'cpu' else 'wall'} second, ratio to HF Trainer")
    table.add_column("program")
    headings = ["examples/s", "ratio", "spread", "tokens/s", "padding", "peak MiB", "growth MiB"]
    has_flops = any(entry.gflops_per_s is not None for entry in entries)
    for heading in [*headings, *(["GFLOP/s", "products", "share"] if has_flops else [])]:
        table.add_column(heading, justify="right")
    for entry in entries:
        has_ratio = entry.ratio_to_hf_trainer is not None
        table.add_row(
            entry.name,
            f"{entry.examples_per_s:.1f}",
            f"{entry.ratio_to_hf_trainer:.2f}" if has_ratio else "-",
            f"{entry.ratio_low:.2f}-{entry.ratio_high:.2f}" if has_ratio else "-",
            f"{entry.tokens_per_s:,.0f}",
            f"{entry.padding_share:.0%}",
            f"{entry.peak_mib:,.0f}",
            f"{entry.growth_mib:,.0f}",
            *(_speed_cells(entry) if has_flops else ()),
        )
    console.print(table)


def _speed_cells(entry: Entry) -> tuple[str, str, str]:
    """Return what real tokens need per second, what bare products reach, and the share."""
    share = "-" if entry.share_of_products is None else f"{entry.share_of_products:.0%}"
    own, products = (
        "-" if rate is None else f"{rate:.1f}" for rate in (entry.gflops_per_s, entry.products_gflops_per_s)
    )
    return own, products, share


def print_operators(suite: str, entries: Sequence[Entry], *, console: Console) -> None:
    """Print where the CPU time of the profiled programs goes."""
    profiled = [(entry.name, entry.operators) for entry in entries if entry.operators is not None]
    if not profiled:
        return
    table = Table("operators", title=f"{suite}: share of the CPU time")
    for name, _ in profiled:
        table.add_column(name, justify="right")
    for group in profiled[0][1]:
        table.add_row(group, *(f"{shares[group]:.1%}" for _, shares in profiled))
    console.print(table)


def print_serving(entries: Sequence[ServingEntry], bars: Sequence[Bar], *, clock: Clock, console: Console) -> None:
    """Print the inference suite."""
    seconds = "CPU" if clock == "cpu" else "wall"
    table = Table(title=f"inference: pairs per {seconds} second, ratio to plain PyTorch in file order")
    table.add_column("program")
    headings = ("pairs/s", "ratio", "spread", "single ms", "p95", "load s", "disk MiB", "peak MiB", "padding", "loss")
    for heading in headings:
        table.add_column(heading, justify="right")
    for entry in entries:
        has_ratio = entry.ratio_to_plain_pytorch is not None
        table.add_row(
            entry.name,
            f"{entry.examples_per_s:.1f}",
            f"{entry.ratio_to_plain_pytorch:.2f}" if has_ratio else "-",
            f"{entry.ratio_low:.2f}-{entry.ratio_high:.2f}" if has_ratio else "-",
            f"{entry.single_ms:.1f}",
            f"{entry.single_ms_p95:.1f}",
            f"{entry.load_s:.2f}",
            f"{entry.disk_mib:.0f}",
            f"{entry.peak_mib:,.0f}",
            f"{entry.padding_share:.0%}",
            f"{entry.loss:.5f}",
        )
    console.print(table)
    print_bars(bars, console=console)


def print_bars(bars: Sequence[Bar], *, console: Console) -> None:
    """Print which bars are met."""
    for bar in bars:
        verdict = "met" if bar.ratio >= bar.least else "MISSED"
        ratios = f"{bar.ratio:.2f} [{bar.ratio_low:.2f}, {bar.ratio_high:.2f}]"
        console.print(f"{bar.name}: {ratios}, wanted {bar.least:.2f}: {verdict}", highlight=False, soft_wrap=True)


def print_values(suite: str, entries: Sequence[Mapping[str, Any]], *, console: Console) -> None:
    """Print the entries of a suite without a comparison."""
    table = Table("", *[key for key in entries[0] if key != "name"], title=suite)
    for entry in entries:
        values = [value for key, value in entry.items() if key != "name"]
        table.add_row(entry["name"], *[f"{value:,}" if isinstance(value, int) else f"{value:.3f}" for value in values])
    console.print(table)


def write_json(path: Path, results: Mapping[str, Entries], about: Mapping[str, Any]) -> None:
    """Write all results: one list of entries a suite, and under `about` what they were obtained with."""
    suites = {
        suite: [dict(entry) if isinstance(entry, Mapping) else asdict(entry) for entry in entries]
        for suite, entries in results.items()
    }
    with replacing_text(path) as file:
        file.write(json.dumps({**suites, "about": dict(about)}, indent=2) + "\n")


def describe_machine() -> dict[str, Any]:
    """Return processor, Python and the versions of the packages that matter."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return {"processor": processor(), "python": platform.python_version(), "versions": versions}
