"""Estimate which task helps which from one finished run: `python -m experiments.transfer --estimate RUN`.

RUN is a training of all tasks: its folder, or one checkpoint in it. Nothing is trained: what a step on one task does to
the dev loss of another is computed from their gradients at the checkpoints; `experiments/affinity.py` has the method
and its limits. If `--output` holds the trained matrix, both are printed side by side, with their agreement.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from runtime.arguments import Arguments, seed_number
from runtime.counts import counted
from runtime.errors import InputError
from runtime.importing import heavy_imports
from runtime.terminal import describe_seconds


def main(arguments: Sequence[str]) -> int:
    """Estimate, show and write; return the exit status."""
    parser = Arguments("experiments.transfer", __doc__)
    parser.add_argument("--estimate", type=Path, required=True, metavar="RUN", help="a finished run of all tasks")
    parser.add_argument("--output", type=Path, default=Path("runs/transfer"), help="folder of the table, and of the "
                        "trained matrix if there is one (default: %(default)s)")  # fmt: skip
    parser.add_argument("--batches", type=int, default=32, help="batches of each task and split (default: %(default)s)")
    parser.add_argument("--seed", type=seed_number, default=42, help="seed of the examples (default: %(default)s)")
    parsed = parser.parse_args(arguments)
    if parsed.batches < 2:
        raise InputError(f"--batches {parsed.batches}: expected 2 or more, for an interval")
    with heavy_imports():
        from experiments.estimate_tables import read_trained, show
        from experiments.estimating import count_steps, estimate, find_checkpoints, read_run
    checkpoints = find_checkpoints(parsed.estimate)
    run = read_run(checkpoints[0])
    trained = read_trained(parsed.output / "results.json", tuple(run.tasks))
    steps = {} if trained is None else count_steps(run)
    start = time.monotonic()
    gains = estimate(run, checkpoints, batches=parsed.batches, seed=parsed.seed)
    notes = [
        f"Estimated from the gradients of {run.name} at {counted(len(checkpoints), 'checkpoint')}: "
        f"{', '.join(path.name for path in checkpoints)}; {parsed.batches} batches of each task, seed {parsed.seed}, "
        f"{describe_seconds(time.monotonic() - start)}."
    ]
    parsed.output.mkdir(parents=True, exist_ok=True)
    show(gains, steps, trained, notes, parsed.output)
    return 0
