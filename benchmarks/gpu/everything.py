"""Everything about a GPU in one command: `python -m benchmarks.gpu.everything --carried FOLDER`; see README.md.

It imports no library, so that it can unpack the carried wheels first.
"""

import argparse
import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runtime.arguments import Arguments

ROOT = Path(__file__).resolve().parent.parent.parent
BACKBONE, DATA, WHEELS = "backbone", "data.tar.xz", "wheels"
MOST_EPOCHS = 10
STEPS_OF_AN_EPOCH = 4878  # 156,082 examples in batches of 32
OVERHEAD = 1.5  # of a training with validation and checkpoints, by bare steps
SECONDS_TO_START = 40
PROGRAM = "ours eager, weights cast together, data on device"  # whose step the epochs are planned by


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = Arguments("benchmarks.gpu.everything", __doc__)
    parser.add_argument(
        "--carried", type=Path, required=True, metavar="FOLDER", help="what `benchmarks.gpu.carrying` has written"
    )
    parser.add_argument("--out", type=Path, default=Path("gpu"), metavar="FOLDER", help="results (default gpu)")
    parser.add_argument("--seconds", type=float, default=560.0, help="time for all (default %(default)s)")
    parser.add_argument("--tiny", action="store_true", help="on a CPU, few steps of tiny models, to try it out")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure steps at two sizes, then train; return 1 if any part failed or its numbers were others."""
    options = parse_arguments(arguments)
    ends_at = time.monotonic() + options.seconds
    options.out.mkdir(parents=True, exist_ok=True)
    environment = install(options.carried / WHEELS, options.out / "site")
    data = options.out / "data"
    with tarfile.open(options.carried / DATA) as archive:
        archive.extractall(data, filter="data")
    statuses = []
    for size, share in (("minilm", 0.3), ("base", 0.6)):  # of the time that is left
        small = ["--tiny", "--batch_sizes", "4", "--only", PROGRAM]
        arguments_of_size = small if options.tiny else ["--size", size]
        limit = share * (ends_at - time.monotonic())
        statuses.append(
            run(
                *("-m", "benchmarks.gpu", *arguments_of_size, "--device", "cpu" if options.tiny else "cuda"),
                *("--data", str(data / "quora-dev.csv"), "--tokenizer", str(options.carried / BACKBONE)),
                *("--json", str(options.out / f"{size}.json"), "--time_limit", f"{limit:.0f}"),
                environment=environment,
            )
        )
    steps = json.loads((options.out / "minilm.json").read_text(encoding="utf-8"))["steps"]
    epochs = 1 if options.tiny else plan_epochs(steps, ends_at - time.monotonic())
    statuses.append(train(options, data, epochs, environment))
    return int(any(statuses))


def install(wheels: Path, folder: Path) -> dict[str, str]:
    """Install carried wheels into a folder, and return the environment that finds them."""
    found = sorted(wheels.glob("*.whl"))
    if found:
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", str(folder)]
        subprocess.run([*command, *map(str, found)], check=True)
    paths = [str(folder.absolute()), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "HF_HUB_OFFLINE": "1"}


def run(*arguments: str, environment: dict[str, str]) -> int:
    """Run Python in the repository; what it prints is seen."""
    print(f"$ python {' '.join(arguments)}", flush=True)
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, check=False).returncode


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


def train(options: argparse.Namespace, data: Path, epochs: int, environment: dict[str, str]) -> int:
    """Train the carried backbone on the three tasks and print the last step's dev scores."""
    runs = (options.out / "runs").absolute()
    short = ["--trainer.max_steps", "2", "--trainer.limit_val_batches", "1", "--trainer.accelerator", "cpu"]
    status = run(
        *("train.py", "fit", "-c", "configs/cs224n.yaml", "--data.root", str(data.absolute())),
        *("--model.backbone", str((options.carried / BACKBONE).absolute()), "--trainer.max_epochs", str(epochs)),
        *("--data.cache_dir", str((options.out / "cache").absolute()), "--trainer.logger.save_dir", str(runs)),
        *("--trainer.enable_progress_bar", "false", "--trainer.precision", "bf16-mixed"),
        *(short if options.tiny else ["--data.on_device", "true", "--model.weight_casts", "together"]),
        environment=environment,
    )
    for path in runs.rglob("report.json"):
        report = json.loads(path.read_text(encoding="utf-8"))
        kept = {name: report[name] for name in ("steps", "wall_seconds", "examples_per_second", "metrics")}
        print(json.dumps({"epochs": epochs, **kept}))
    return status


if __name__ == "__main__":
    sys.exit(main())
