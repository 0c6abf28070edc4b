"""Estimate which task helps which from one finished run: `python -m experiments.transfer --estimate RUN`.

RUN is a training of all tasks: its folder, or one checkpoint in it. Nothing is trained: what a step on one task does to
the dev loss of another is computed from their gradients at the checkpoints; `experiments/affinity.py` has the method
and its limits. If `--output` holds the trained matrix, both are printed side by side, with their agreement.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from analysis.run import Run
from backbones.digest import digest_tensors
from experiments.affinity import Gains, measure_gains
from experiments.estimate_tables import read_trained, show
from experiments.probes import Probe, build_probe
from inference import Predictor
from inference.checkpoint import find_checkpoint, read_checkpoint
from runtime.arguments import Arguments
from runtime.counts import counted
from runtime.terminal import describe_seconds
from tasks import InputError, Split


def main(arguments: Sequence[str]) -> int:
    """Estimate, show and write; return the exit status."""
    parser = Arguments("experiments.transfer", __doc__)
    parser.add_argument("--estimate", type=Path, required=True, metavar="RUN", help="a finished run of all tasks")
    parser.add_argument("--output", type=Path, default=Path("runs/transfer"), help="folder of the table, and of the "
                        "trained matrix if there is one (default: %(default)s)")  # fmt: skip
    parser.add_argument("--batches", type=int, default=32, help="batches of each task and split (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=42, help="seed of the examples (default: %(default)s)")
    parsed = parser.parse_args(arguments)
    if parsed.batches < 2:
        raise InputError(f"--batches {parsed.batches}: expected 2 or more, for an interval")
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


def find_checkpoints(path: Path) -> list[Path]:
    """Return a checkpoint, or of a run all whose weights differ, by name.

    Raises:
        InputError: If there is none.
    """
    newest = find_checkpoint(path)
    if path.is_file():
        return [path]
    distinct: dict[str, Path] = {}
    for each in sorted(newest.parent.glob("*.ckpt")):
        distinct.setdefault(digest_tensors(read_checkpoint(each).weights), each)
    return list(distinct.values())


def read_run(checkpoint: Path) -> Run:
    """Return the run of a checkpoint.

    Raises:
        InputError: If it lies in none, or the run has fewer than two tasks.
    """
    folder = read_checkpoint(checkpoint).run
    if folder is None:
        raise InputError(f"{checkpoint}: lies in no run folder (expected a run of train.py fit, with config.yaml)")
    run = Run(folder)
    if len(run.tasks) < 2:
        raise InputError(f"{run.name}: trained {len(run.tasks)} task (expected a run of two tasks or more)")
    return run


def count_steps(run: Run) -> dict[str, int]:
    """Return how many batches of each task a run has drawn; a batch of tasks over the same rows is one of each.

    Raises:
        InputError: If its report does not say so.
    """
    joint = {task: stream for stream, each in run.report.get("streams", {}).items() for task in each["tasks"]}
    drawn = run.report.get("drawn") or {}
    streams = {task: joint.get(task, task) for task in run.tasks}
    if set(drawn) != set(streams.values()):
        raise InputError(f"{run.folder / 'report.json'}: does not say how many batches were drawn of each task")
    return {task: int(drawn[stream]["batches"]) for task, stream in streams.items()}


def estimate(run: Run, checkpoints: Sequence[Path], *, batches: int, seed: int) -> Gains:
    """Measure the gains of a run's tasks, averaged over its checkpoints.

    Args:
        run: The run.
        checkpoints: Its checkpoints.
        batches: Batches of each task and split.
        seed: Seed of their examples.
    """
    lr = float(run.config["model"]["optimizer"]["lr"])
    found: list[Gains] = []
    probes: dict[Split, list[Probe]] = {}
    for path in checkpoints:
        predictor = Predictor.load(path)
        probes = probes or {split: draw_probes(run, predictor, split, batches, seed) for split in ("train", "dev")}
        found.append(measure_gains(predictor.model, probes["train"], probes["dev"], batches=batches, lr=lr))
    return Gains(found[0].tasks, np.mean([gains.values for gains in found], axis=0))


def draw_probes(run: Run, predictor: Predictor, split: Split, batches: int, seed: int) -> list[Probe]:
    """Draw the batches of a split of each task."""
    return [
        build_probe(
            name,
            task,
            split,
            run.read_examples(name, split),
            tokenizer=predictor.tokenizer,
            max_length=predictor.max_length,
            batches=batches,
            batch_size=task.batch_size or int(run.config["data"]["batch_size"]),
            seed=seed,
        )
        for name, task in run.tasks.items()
    ]
