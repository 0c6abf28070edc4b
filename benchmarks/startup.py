"""How long commands take from start to finish."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.coordinator import ROOT

IMPORTS = "import torch, transformers, lightning.pytorch"


def commands(folder: str) -> Mapping[str, Sequence[str]]:
    """Return the commands by name; the quickstart's tokens are cached from its first run on.

    Args:
        folder: An empty folder for what the quickstart writes.
    """
    quickstart = ["train.py", "fit", "-c", "configs/quickstart.yaml", "--data.cache_dir", f"{folder}/cache"]
    stop = ["--trainer.callbacks", "benchmarks.ours.first_step.ExitAfterFirstStep"]
    return {
        "import torch, transformers, lightning": ["-c", IMPORTS],
        "ours train.py --help": ["train.py", "--help"],
        "ours train.py --print_config": ["train.py", "fit", "-c", "configs/quickstart.yaml", "--print_config"],
        "ours quickstart to the first step": [
            *quickstart,
            *stop,
            "--trainer.logger.init_args.save_dir",
            f"{folder}/runs",
        ],
    }


def run_startup(rounds: int, *, report: Callable[[str], None]) -> list[dict[str, Any]]:
    """Measure the commands, one untimed run each first.

    Args:
        rounds: Timed runs of each command.
        report: Called with a sentence for each round.

    Returns:
        Name, median CPU seconds and median wall seconds of each command.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        named = commands(folder)
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in named}
        for number in range(rounds + 1):
            for name, arguments in named.items():
                seconds = time_command(arguments)
                if number > 0:
                    times[name].append(seconds)
            report(f"round {number} done" if number else "warm")
    return [
        {"name": name, "cpu_s": median(cpu for cpu, _ in runs), "wall_s": median(wall for _, wall in runs)}
        for name, runs in times.items()
    ]


def time_command(arguments: Sequence[str]) -> tuple[float, float]:
    """Return CPU and wall seconds of `python ARGUMENTS`.

    Raises:
        RuntimeError: If the command fails.
    """
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
        process = subprocess.Popen(
            [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=errors, cwd=ROOT, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            raise RuntimeError(f"python {' '.join(arguments)} failed:\n{errors.read()[-2000:]}")
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - started
