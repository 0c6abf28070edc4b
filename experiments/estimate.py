"""Estimate which task helps which from one finished run: `python -m experiments.transfer --estimate RUN`.

RUN is a training of all tasks: its folder, or one checkpoint in it. Nothing is trained: what a step on one task does to
the dev loss of another is computed from their gradients at the checkpoints; `experiments/affinity.py` has the method
and its limits. If `--output` holds the trained matrix, both are printed side by side, with their agreement.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.run import Run
from analysis.table import Table
from backbones.digest import digest_tensors
from experiments.affinity import Gains, Probe, build_probe, find_interval, measure_gains
from experiments.agreement import Agreement, compare_estimates
from experiments.cells import format_interval
from experiments.results import publish
from experiments.statistics import Interval
from inference import Predictor
from inference.checkpoint import find_checkpoint, read_checkpoint
from runtime.terminal import describe_seconds, plain_console
from tasks import InputError, Split

NOTE = "Part of the dev loss that one step removes, with 95 % intervals over the batches; above 0 is a gain."


@dataclass(frozen=True)
class Trained:
    """The trained matrix.

    Args:
        same_steps: Whether all sets were trained for the same number of steps.
        differences: Difference from the task alone, by (set, task).
    """

    same_steps: bool
    differences: Mapping[tuple[str, str], Interval]


def main(arguments: Sequence[str]) -> int:
    """Estimate, show and write; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m experiments.transfer", description=__doc__, allow_abbrev=False)
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
        f"Estimated from the gradients of {run.name} at {len(checkpoints)} checkpoint(s): "
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
    """Return how many batches of each task a run has drawn.

    Raises:
        InputError: If its report does not say so.
    """
    drawn = run.report.get("drawn", {})
    if set(drawn) != set(run.tasks):
        raise InputError(f"{run.folder / 'report.json'}: does not say how many batches were drawn of each task")
    return {task: int(drawn[task]["batches"]) for task in run.tasks}


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


def read_trained(path: Path, tasks: Sequence[str]) -> Trained | None:
    """Return the trained matrix of some tasks; None where there is none.

    Raises:
        InputError: If the file is not one that this command wrote.
    """
    if not path.is_file():
        return None
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
        found = {
            (entry["trained on"], entry["target"]): Interval(**{
                name: float("nan") if value is None else value for name, value in entry["interval"].items()
            })
            for entry in results["transfer"]
            if set(entry["trained on"].split("+")) <= set(tasks) and entry["interval"]["estimate"] is not None
        }  # fmt: skip
        return Trained(bool(results["same_steps"]), found) if found else None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not the results of experiments.transfer ({type(error).__name__}: {error}; expected those of this "
            "version, which --table-only writes anew)"
        ) from None


def show(gains: Gains, steps: Mapping[str, int], trained: Trained | None, notes: Sequence[str], output: Path) -> None:
    """Print the tables, and write them as `estimate.md` and `estimate.json` into the output folder."""
    matrix = {
        (task, target): find_interval(gains.of_step(task, target)) for task in gains.tasks for target in gains.tasks
    }
    tables = [build_matrix(gains.tasks, matrix)]
    numbers: dict[str, Any] = {
        "gains": [
            {"step on": task, "target": target, "interval": vars(each), "verdict": judge(each)}
            for (task, target), each in matrix.items()
        ]
    }
    sentences = []
    if trained is not None:
        estimated = {
            (name, target): find_interval(
                gains.of_set({task: steps[task] for task in name.split("+")}, target, same_steps=trained.same_steps)
            )
            for name, target in trained.differences
        }
        agreement = compare_estimates(
            [each.estimate for each in estimated.values()], list(trained.differences.values())
        )
        tables.append(build_side_by_side(estimated, trained))
        sentences.append(agreement.sentence())
        numbers |= describe_agreement(estimated, trained, agreement)
    publish(output, notes, tables, sentences, numbers, plain_console(), name="estimate")


def describe_agreement(
    estimated: Mapping[tuple[str, str], Interval], trained: Trained, agreement: Agreement
) -> dict[str, Any]:
    """Return estimates, trained differences and their agreement as plain data."""
    entries = [
        {
            "trained on": name,
            "target": target,
            "estimated": vars(each),
            "trained": vars(trained.differences[name, target]),
        }
        for (name, target), each in estimated.items()
    ]
    return {"same_steps": trained.same_steps, "beside_trained": entries, "agreement": agreement.as_dict()}


def judge(gain: Interval) -> str:
    """Say what a gain does."""
    if not gain.excludes_zero:
        return "cannot be told apart from 0"
    return "helps" if gain.low > 0 else "hurts"


def format_percent(interval: Interval) -> str:
    """Return a part and its interval in per cent.

    Example:
        >>> format_percent(Interval(0.00214, -0.000051, 0.0047))
        '+0.21 [-0.0051, +0.47]'
    """
    return f"{100 * interval.estimate:+.2g} [{100 * interval.low:+.2g}, {100 * interval.high:+.2g}]"


def build_matrix(tasks: Sequence[str], gains: Mapping[tuple[str, str], Interval]) -> Table:
    """Return the gain of each task by a step on each."""
    cells = [(task, *(format_percent(gains[task, target]) for target in tasks)) for task in tasks]
    return Table("Estimated gain by one step, % of the dev loss", ("step on", *tasks), tuple(cells), note=NOTE)


def build_side_by_side(estimated: Mapping[tuple[str, str], Interval], trained: Trained) -> Table:
    """Return estimated and trained differences from each task alone."""
    cells = []
    for (name, target), each in estimated.items():
        truth = trained.differences[name, target]
        agree = "yes" if np.sign(each.estimate) == np.sign(truth.estimate) else "no"
        cells.append((name, target, format_percent(each), format_interval(truth), agree))
    kind = "as many steps as alone" if trained.same_steps else "its own steps and the others'"
    columns = ("trained on", "target", "estimated per step, %", "trained, score", "same sign")
    return Table(f"Difference from the task trained alone ({kind})", columns, tuple(cells), num_text_columns=2)
