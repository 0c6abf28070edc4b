"""Merge the weights of trainings: `python -m experiments.soup RUN RUN [RUN ...] --output DIR`; see docs/tuning.md.

`uniform` averages all runs, `greedy` those that help on one half of the dev rows, `arithmetic` adds what single-task
trainings have changed of the backbone and takes the head of each. DIR reads like a run.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import yaml

from analysis.command import command
from analysis.run import Predictions, Run
from analysis.selection import HalfScores, first_metric, split_halves
from analysis.side_by_side import take
from analysis.table import Table
from analysis.written_run import write_run
from experiments.cells import format_score
from experiments.job import TRAIN
from experiments.merging import add_changes, average, check_alike, load_base, write_checkpoint
from experiments.running import say
from inference import Predictor
from inference.checkpoint import Checkpoint, find_checkpoint, read_checkpoint
from runtime.run_folders import last_checkpoint
from runtime.terminal import plain_console
from runtime.utf8 import use_utf8
from tasks import Example, InputError

Method = Literal["uniform", "greedy", "arithmetic"]
SCALES = (0.2, 0.3, 0.5, 0.7, 1.0)


@dataclass(frozen=True)
class Member:
    """A training whose weights are merged.

    Args:
        run: Its run.
        checkpoint: The weights taken of it.
    """

    run: Run
    checkpoint: Checkpoint


@dataclass(frozen=True)
class Dev:
    """The dev rows that a choice is made and reported on.

    Args:
        examples: The examples of each task.
        seed: Seed of the halves.
    """

    examples: Mapping[str, list[Example]]
    seed: int

    def halves(self, predictions: Mapping[str, Predictions]) -> HalfScores:
        """Return the mean of the tasks' first metrics on each half."""
        means = []
        for half in (0, 1):
            scores = []
            for found in predictions.values():
                rows = split_halves(len(found.examples), seed=self.seed)[half]
                scores.append(first_metric(take(found, rows.tolist())))
            means.append(float(np.mean(scores)))
        return HalfScores(*means)


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Merge, evaluate and write; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m experiments.soup", description=__doc__, allow_abbrev=False)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folder of a run, or a checkpoint in one")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder to create")
    parser.add_argument("--method", choices=("uniform", "greedy", "arithmetic"), default="uniform", help="see above")
    parser.add_argument(
        "--scales", nargs="+", type=float, default=list(SCALES), metavar="X",
        help="arithmetic: factors to choose from on one half of the dev rows (default: .2 .3 .5 .7 1)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=42, help="seed of the halves (default %(default)s)")
    parser.add_argument(
        "--refit", type=int, default=0, metavar="EPOCHS",
        help="train the heads for EPOCHS on the merged, frozen backbone afterwards; the run is in DIR/refit",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    if options.output.exists():
        raise InputError(f"{options.output}: exists (expected a new folder)")
    if options.refit < 0:
        raise InputError(f"--refit {options.refit}: expected a number of epochs, 0 for none")
    members = [read_member(path) for path in options.runs]
    if len(members) < 2:
        raise InputError("one run (expected two or more to merge)")
    dev = Dev(read_dev(members), options.seed)
    if options.method == "arithmetic":
        add_up(members, dev, options.scales, options.output)
    else:
        mix(members, dev, options.method, options.output)
    return refit(options.output, options.refit) if options.refit else 0


def read_member(path: Path) -> Member:
    """Return a training to merge.

    Raises:
        InputError: If there is no checkpoint, or it lies in no run.
    """
    checkpoint = read_checkpoint(find_checkpoint(path))
    if checkpoint.run is None:
        raise InputError(f"{path}: lies in no run folder (expected a run of train.py fit, with config.yaml)")
    return Member(Run(checkpoint.run), checkpoint)


def read_dev(members: Sequence[Member]) -> dict[str, list[Example]]:
    """Return the dev examples of every task, checked to be the same for all members.

    Raises:
        InputError: If two members read other dev files of a task, or a file has changed.
    """
    found: dict[str, tuple[Run, str]] = {}
    for member in members:
        for task in member.run.tasks:
            digest = member.run.report["data"].get(task, {}).get("dev", {}).get("sha256")
            other, before = found.setdefault(task, (member.run, digest))
            if before != digest:
                raise InputError(f"{member.run.name} has another dev split of {task} than {other.name}")
    return {task: run.read_examples(task) for task, (run, _) in found.items()}


def mix(members: Sequence[Member], dev: Dev, method: Method, output: Path) -> None:
    """Average all members, or those that help, and write the soup.

    Raises:
        InputError: If the members differ in more than their weights.
    """
    check_alike([member.checkpoint for member in members])
    template = members[0].checkpoint
    alone = [dev.halves(read_saved(member.run, dev)) for member in members]
    order = sorted(range(len(members)), key=lambda number: -alone[number].selected)
    chosen = list(range(len(members)))

    def merge(numbers: Sequence[int]) -> dict[str, torch.Tensor]:
        return average([members[number].checkpoint.weights for number in numbers])

    if method == "greedy":
        chosen, best = order[:1], alone[order[0]].selected
        for number in order[1:]:
            found = dev.halves(evaluate(merge([*chosen, number]), template, dev, output)).selected
            say(f"with run {number + 1}: {found:.4f} on the chosen half ({'kept' if found > best else 'left out'})")
            if found > best:
                chosen, best = [*chosen, number], found
    weights = merge(chosen)
    predictions = evaluate(weights, template, dev, output)
    halves = dev.halves(predictions)
    kept = ", ".join(str(number + 1) for number in sorted(chosen))
    lines = {
        f"soup of runs {kept}": halves,
        "best run": alone[order[0]],
        "mean run": HalfScores(*(float(np.mean([getattr(each, half) for each in alone])) for half in HALF_NAMES)),
    }
    details = {"method": method, "members": [str(members[number].checkpoint.path) for number in sorted(chosen)]}
    write_soup(output, members, template, weights, predictions, lines, details=details, seed=dev.seed)


HALF_NAMES = ("selected", "held_out")


def add_up(members: Sequence[Member], dev: Dev, scales: Sequence[float], output: Path) -> None:
    """Add what each member has changed of the backbone, with the best factor, and write the result with all heads.

    Raises:
        InputError: If the members are not of different tasks on the same backbone.
    """
    check_experts(members)
    first = members[0].checkpoint
    base = load_base(first)
    heads = {
        name: tensor
        for member in members
        for name, tensor in member.checkpoint.weights.items()
        if name.startswith("heads.")
    }
    lines: dict[str, HalfScores] = {}
    found: dict[float, tuple[dict[str, torch.Tensor], dict[str, Predictions]]] = {}
    for scale in scales:
        weights = {**add_changes(base, [member.checkpoint.weights for member in members], scale), **heads}
        predictions = evaluate(weights, first, dev, output, **merged_entries(members))
        lines[f"sum with factor {scale:g}"] = dev.halves(predictions)
        found[scale] = weights, predictions
    best = max(scales, key=lambda scale: lines[f"sum with factor {scale:g}"].selected)
    alone = {name: predictions for member in members for name, predictions in read_saved(member.run, dev).items()}
    lines["separate models"] = dev.halves(alone)
    details = {
        "method": "arithmetic",
        "scale": best,
        "members": [str(member.checkpoint.path) for member in members],
    }
    weights, predictions = found[best]
    say(f"factor {best:g} is the best on the chosen half")
    write_soup(output, members, first, weights, predictions, lines, details=details, seed=dev.seed)


def check_experts(members: Sequence[Member]) -> None:
    """Raise an error unless members have different tasks and backbones of the same kind.

    Raises:
        InputError: If a task is in two members, or two started from other backbones.
    """
    owners: dict[str, Path] = {}
    first = members[0].checkpoint
    for member in members:
        each = member.checkpoint
        for task in member.run.tasks:
            if task in owners:
                raise InputError(f"{each.path}: has the task {task}, as {owners[task]} (expected different tasks)")
            owners[task] = each.path
        if each.frozen_sha256 is not None:
            raise InputError(f"{each.path}: holds the trained part only (expected save_trainable_only: false)")
        if any(name.startswith("trunk.") for name in each.weights):
            raise InputError(f"{each.path}: has a trunk, which only its own heads fit (expected trainings without)")
        if (each.backbone, each.meaning.get("backbone")) != (first.backbone, first.meaning.get("backbone")):
            raise InputError(f"{each.path}: started from {each.backbone} (expected {first.backbone}, as {first.path})")


def merged_entries(members: Sequence[Member]) -> dict[str, Any]:
    """Return what a checkpoint of all members' tasks says about them."""
    checkpoints = [member.checkpoint for member in members]
    meaning = {name: each for member in checkpoints for name, each in member.meaning.get("tasks", {}).items()}
    return {
        "hyper_parameters": {
            "tasks": {name: task for each in checkpoints for name, task in each.settings["tasks"].items()}
        },
        "meaning": {"tasks": meaning},
    }


def read_saved(run: Run, dev: Dev) -> dict[str, Predictions]:
    """Return the dev predictions that a run has saved, by task."""
    return {task: run.read_predictions(task) for task in dev.examples if task in run.tasks}


def evaluate(
    weights: Mapping[str, torch.Tensor], template: Checkpoint, dev: Dev, output: Path, **changes: Mapping[str, Any]
) -> dict[str, Predictions]:
    """Predict the dev rows with some weights.

    Args:
        weights: The weights.
        template: A checkpoint that all but the weights is taken from.
        dev: The dev rows.
        output: Where the result will lie; the weights are written beside it for a moment.
        changes: As for `write_checkpoint`.
    """
    trial = output.with_name(f"{output.name}.trial.ckpt")
    write_checkpoint(trial, template.path, weights, **changes)
    try:
        predictor = Predictor.load(trial)
    finally:
        trial.unlink()
    found = {}
    for name, examples in dev.examples.items():
        head, task = predictor.model.head(name), predictor.tasks[name]
        raw = predictor.compute([name], [example.texts for example in examples])[name]
        probabilities = head.probabilities(raw)
        found[name] = Predictions(
            task=task,
            examples=examples,
            labels=np.array([example.label for example in examples], dtype=np.float64),
            predictions=head.predict(raw).double().numpy(),
            probabilities=None if probabilities is None else probabilities.double().numpy(),
            split_size=len(examples),
        )
    return found


def write_soup(
    output: Path,
    members: Sequence[Member],
    template: Checkpoint,
    weights: Mapping[str, torch.Tensor],
    predictions: Mapping[str, Predictions],
    lines: Mapping[str, HalfScores],
    *,
    details: Mapping[str, Any],
    seed: int,
) -> None:
    """Write merged weights as a run, and print how they compare."""
    runs = [member.run for member in members]
    sources = {task: run.report["data"][task] for run in runs for task in run.tasks}
    baselines = {task: values for run in runs for task, values in run.report.get("baseline", {}).items()}
    report = {
        "baseline": {task: baselines[task] for task in predictions if task in baselines},
        "backbone": template.backbone,
        **details,
        "selection_seed": seed,
        "selection": {name: asdict(line) for name, line in lines.items()},
        "data": {task: sources[task] for task in predictions},
    }
    config = {**runs[0].config, "tasks": {name: task for run in runs for name, task in run.config["tasks"].items()}}
    metrics = write_run(output, predictions, split="dev", config=yaml.safe_dump(config, sort_keys=False), report=report)
    write_checkpoint(last_checkpoint(output), template.path, weights, **merged_entries(members))
    cells = [(name, format_score(line.selected), format_score(line.held_out)) for name, line in lines.items()]
    console = plain_console()
    console.print(
        Table("mean of the tasks' first metrics", ("weights", "chosen half", "held-out half"), cells).to_rich()
    )
    for name, found in predictions.items():
        metric = str(found.task.metric_names[0])
        console.print(f"{name}: {metric} {metrics[name][metric]:.4f} on the whole dev split", soft_wrap=True)
    console.print(f"written: {output}", soft_wrap=True)


def refit(output: Path, epochs: int) -> int:
    """Train the heads on the merged backbone, whose vectors are computed once; return the exit status."""
    words = [
        sys.executable, str(TRAIN), "fit", "-c", str(output / "config.yaml"),
        "--model.init_from", str(output), "--model.freeze_backbone", "true", "--model.linear_probe_epochs", "0",
        "--trainer.max_epochs", str(epochs), "--trainer.max_steps", "-1",
        "--trainer.logger", "TensorBoardLogger", "--trainer.logger.save_dir", str(output),
        "--trainer.logger.name", "refit", "--ckpt_path", "null",
    ]  # fmt: skip
    return subprocess.run(words, check=False).returncode


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
