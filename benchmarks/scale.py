"""How the cost per row grows with the number of rows, on generated data: it must not."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.coordinator import ROOT
from benchmarks.meter import peak_mib
from datamodules import BatchRows, MultitaskSampler, RoundRobinShuffled, TaskDataset
from datamodules.store import SCHEMA, TokenStore
from tasks import Quora

ROWS = (10_000, 100_000, 1_000_000, 10_000_000)
CHUNK = 100_000
BATCH_SIZE = 32
STEPS = 300
MEAN_TOKENS = 30


def write_generated_store(path: Path, rows: int) -> None:
    """Write a store of random tokens, about 30 per row, like the tokenised file of a task.

    Args:
        path: The Arrow file.
        rows: Rows.
    """
    rng = np.random.default_rng(0)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, SCHEMA) as writer:
        for first in range(0, rows, CHUNK):
            count = min(CHUNK, rows - first)
            lengths = rng.integers(8, 2 * MEAN_TOKENS - 8, count)
            offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
            tokens = rng.integers(1000, 30_000, offsets[-1], dtype=np.int32)
            columns = [
                pa.array(map(str, range(first, first + count)), pa.string()),
                pa.array(rng.integers(0, 2, count).astype(np.float64)),
                pa.ListArray.from_arrays(pa.array(offsets), pa.array(tokens)),
                pa.array((lengths // 2).astype(np.int32)),
            ]
            writer.write_batch(pa.record_batch(columns, schema=SCHEMA))
    path.with_suffix(".json").write_text(json.dumps({"notes": []}), encoding="utf-8")


def measure(path: Path) -> dict[str, Any]:
    """Open a store, plan an epoch, and make batches.

    Returns:
        CPU seconds until the first batch of an epoch is there; CPU milliseconds of a later one, and of the same one
        again, when its pages of the file are in memory; MiB of memory that this added (most at any time, tokens mapped
        from the file included); and rows.
    """
    before = peak_mib()
    started = time.process_time()
    store = TokenStore(path, task=Quora(), source={"path": str(path), "sha256": ""})
    sampler = MultitaskSampler({"quora": len(store)}, {"quora": BATCH_SIZE}, RoundRobinShuffled(), seed=0)
    dataset = TaskDataset({"quora": store})
    batches = iter(sampler)
    dataset[next(batches)]
    first = time.process_time()
    steps = _take(batches, STEPS)
    return {
        "rows": len(store),
        "first_batch_s": first - started,
        "ms_per_batch": _time_batches(dataset, steps),
        "ms_per_batch_again": _time_batches(dataset, steps),
        "memory_mib": peak_mib() - before,
    }


def _time_batches(dataset: TaskDataset, steps: Sequence[BatchRows]) -> float:
    started = time.process_time()
    for rows in steps:
        dataset[rows]
    return (time.process_time() - started) * 1000 / len(steps)


def _take(batches: Any, count: int) -> list[BatchRows]:
    return [rows for rows, _ in zip(batches, range(count), strict=False)]


def run_scale(sizes: Sequence[int], *, report: Callable[[str], None]) -> list[dict[str, Any]]:
    """Measure each size in a process of its own.

    Args:
        sizes: Numbers of rows.
        report: Called with a sentence for each size.
    """
    entries = []
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        for rows in sizes:
            path = Path(folder) / f"{rows}.arrow"
            write_generated_store(path, rows)
            command = [sys.executable, "-m", "benchmarks.scale", str(path)]
            done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8")
            found = json.loads(done.stdout.splitlines()[-1])
            path.unlink()
            entries.append(
                {"name": f"ours {rows:,} rows", **found, "bytes_per_row": found["memory_mib"] * 2**20 / rows}
            )
            report(f"{rows:,} rows done")
    return entries


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
