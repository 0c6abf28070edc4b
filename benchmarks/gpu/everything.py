"""Everything about a GPU in one command: `python -m benchmarks.gpu.everything --carried FOLDER`; see README.md.

It imports no library, so that it can unpack the carried wheels first.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runtime.arguments import Arguments
from runtime.command import command
from runtime.errors import InputError
from runtime.whole_files import is_filled

ROOT = Path(__file__).resolve().parent.parent.parent
TRAINING = "training.json"
SHARES = {"minilm": 0.3, "base": 0.6}  # of the time that is left, for the steps of each size
BACKBONE, DATA, WHEELS = "backbone", "data.tar.xz", "wheels"
MOST_EPOCHS = 10
STEPS_OF_AN_EPOCH = 4878  # 156,082 examples in batches of 32
OVERHEAD = 1.5  # of a training with validation and checkpoints, by bare steps
SECONDS_TO_START = 40  # of a training: imports, tokens, the validation at its end
SECONDS_OF_A_PROGRAM = 90  # that begins right before the time limit, and compiles
TRY_SECONDS = 1800.0  # of a training with --tiny, which makes all tokens on a slow CPU
PROGRAM = "ours eager, weights cast together, data on device"  # whose step the epochs are planned by


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line; folders get absolute, since the parts run in the repository."""
    parser = Arguments("benchmarks.gpu.everything", __doc__)
    parser.add_argument(
        "--carried", type=Path, required=True, metavar="FOLDER", help="what `benchmarks.gpu.carrying` has written"
    )
    parser.add_argument("--out", type=Path, default=Path("gpu"), metavar="FOLDER", help="results (default gpu)")
    parser.add_argument(
        "--work", type=Path, metavar="FOLDER", help="packages, data, tokens and the run (default OUT/work)"
    )
    parser.add_argument("--seconds", type=float, default=560.0, help="time for all (default %(default)s)")
    parser.add_argument("--tiny", action="store_true", help="on a CPU, few steps of tiny models, to try it out")
    options = parser.parse_args(arguments)
    options.carried, options.out = options.carried.absolute(), options.out.absolute()
    options.work = (options.work or options.out / "work").absolute()
    return options


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Measure steps at two sizes, then train; return 1 if any part failed or its numbers were others."""
    options = parse_arguments(arguments)
    ends_at = time.monotonic() + options.seconds
    check_folders(options)
    for folder in (options.out, options.work):
        folder.mkdir(parents=True, exist_ok=True)
    environment = install(options.carried / WHEELS, options.work / "site")
    with tarfile.open(options.carried / DATA) as archive:
        archive.extractall(options.work / "data", filter="data")
    statuses = [
        measure_steps(options, size, share * (ends_at - time.monotonic()), environment)
        for size, share in SHARES.items()
    ]
    statuses.append(train(options, ends_at - time.monotonic(), environment))
    return int(any(statuses))


def check_folders(options: argparse.Namespace) -> None:
    """Check that what is needed was carried, and that no older result could be taken for one of this session.

    Raises:
        InputError: If not.
    """
    for name in (BACKBONE, DATA):
        if not (options.carried / name).exists():
            raise InputError(
                f"--carried {options.carried}: has no {name} (expected what benchmarks.gpu.carrying wrote)"
            )
    for path in (options.work, options.out / TRAINING, *(options.out / f"{size}.json" for size in SHARES)):
        if is_filled(path):
            raise InputError(f"{path}: is there already (expected folders without results)")


def install(wheels: Path, folder: Path) -> dict[str, str]:
    """Install carried wheels into a folder, and return the environment that finds them.

    Raises:
        InputError: If pip refuses one.
    """
    found = sorted(wheels.glob("*.whl"))
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", str(folder)]
    if found and subprocess.run([*command, *map(str, found)], check=False).returncode != 0:
        raise InputError(
            f"{wheels}: pip cannot install them (expected wheels for this Python; see carrying's --python)"
        )
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}


def measure_steps(options: argparse.Namespace, size: str, seconds: float, environment: dict[str, str]) -> int:
    """Measure the steps of one size: no program starts after some seconds, and what hangs is ended a while later."""
    small = ["--tiny", "--batch_sizes", "4", "--only", PROGRAM]
    return run(
        *("-m", "benchmarks.gpu", *(small if options.tiny else ["--size", size])),
        *("--device", "cpu" if options.tiny else "cuda", "--json", str(options.out / f"{size}.json")),
        *("--data", str(options.work / "data" / "quora-dev.csv"), "--tokenizer", str(options.carried / BACKBONE)),
        *("--time_limit", f"{seconds:.0f}"),
        environment=environment,
        seconds=seconds + SECONDS_OF_A_PROGRAM,
    )


def run(*arguments: str, environment: dict[str, str], seconds: float) -> int:
    """Run Python in the repository, for some seconds at most; what it prints is seen."""
    print(f"$ python {shlex.join(arguments)}", flush=True)
    try:
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=max(1.0, seconds)).returncode
    except subprocess.TimeoutExpired:
        print(f"ended after {seconds:.0f} s", flush=True)
        return 1


def plan_epochs(steps: Sequence[dict[str, Any]], seconds: float) -> int:
    """Return how many epochs of CS224N fit into some seconds, at least one.

    Args:
        steps: Entries of the measured programs.
        seconds: What is left.

    Example:
        >>> plan_epochs([{"name": PROGRAM, "batch_size": 32, "ms_per_step": 5.0}], 200.0)
        4
    """
    measured = [entry["ms_per_step"] for entry in steps if entry["name"] == PROGRAM and "ms_per_step" in entry]
    if not measured:
        return 1
    epoch_s = OVERHEAD * STEPS_OF_AN_EPOCH * measured[0] / 1e3
    return max(1, min(MOST_EPOCHS, int((seconds - SECONDS_TO_START) / epoch_s)))


def train(options: argparse.Namespace, seconds: float, environment: dict[str, str]) -> int:
    """Train the carried backbone on the three tasks; print the last step's dev scores, and keep them as training.json.

    It stops, with its scores, where the epochs take longer than was planned.
    """
    epochs = 1 if options.tiny else plan_epochs(read_steps(options.out / "minilm.json"), seconds)
    runs = options.work / "runs"
    short = ["--trainer.max_steps", "2", "--trainer.limit_val_batches", "1", "--trainer.accelerator", "cpu"]
    fast = ["--data.on_device", "true", "--model.weight_casts", "together", "--trainer.accelerator", "gpu"]
    status = run(
        *("train.py", "fit", "-c", "configs/cs224n.yaml", "--data.root", str(options.work / "data")),
        *("--model.backbone", str(options.carried / BACKBONE), "--trainer.max_epochs", str(epochs)),
        *("--data.cache_dir", str(options.work / "cache"), "--trainer.logger.save_dir", str(runs)),
        *("--trainer.enable_progress_bar", "false", "--trainer.precision", "bf16-mixed"),
        *(short if options.tiny else [*fast, "--trainer.max_time", as_duration(seconds - SECONDS_TO_START)]),
        environment=environment,
        seconds=TRY_SECONDS if options.tiny else seconds,
    )
    for path in runs.rglob("report.json"):
        report = json.loads(path.read_text(encoding="utf-8"))
        names = ("steps", "stopped_early", "wall_seconds", "examples_per_second", "metrics")
        kept = json.dumps({"epochs": epochs, **{name: report[name] for name in names}})
        (options.out / TRAINING).write_text(f"{kept}\n", encoding="utf-8")
        print(kept)
    return status


def read_steps(path: Path) -> list[dict[str, Any]]:
    """Return the entries of the measured programs; none where the measuring failed before the first."""
    if not path.is_file():
        return []
    steps: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["steps"]
    return steps


def as_duration(seconds: float) -> str:
    """Return seconds as `--trainer.max_time` takes them, one at least.

    Example:
        >>> as_duration(125.4), as_duration(-3)
        ('00:00:02:05', '00:00:00:01')
    """
    minutes, rest = divmod(max(1, int(seconds)), 60)
    return f"00:{minutes // 60:02}:{minutes % 60:02}:{rest:02}"


if __name__ == "__main__":
    sys.exit(main())
