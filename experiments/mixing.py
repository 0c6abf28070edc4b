"""Merged weights: chosen on one half of the dev rows, reported on the other, and written as a run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import yaml

from analysis.run import Predictions
from analysis.selection import HalfScores
from analysis.table import Table
from analysis.written_run import write_run
from experiments.cells import format_score
from experiments.members import Dev, Member, evaluate, evaluate_alone
from experiments.merging import add_changes, average, check_alike, check_backbone, load_base, write_checkpoint
from experiments.running import say
from inference.checkpoint import Checkpoint
from runtime.run_folders import last_checkpoint
from runtime.terminal import plain_console
from tasks import InputError

Method = Literal["uniform", "greedy", "arithmetic"]


def mix(members: Sequence[Member], dev: Dev, method: Method, output: Path) -> None:
    """Average all members, or those that help, and write the soup.

    Raises:
        InputError: If the members differ in more than their weights.
    """
    check_alike([member.checkpoint for member in members])
    template = members[0].checkpoint
    alone = [dev.halves(evaluate_alone(member, dev, output)) for member in members]
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
        "mean run": HalfScores(
            float(np.mean([each.selected for each in alone])), float(np.mean([each.held_out for each in alone]))
        ),
    }
    details = {"method": method, "members": [str(members[number].checkpoint.path) for number in sorted(chosen)]}
    write_soup(output, members, template, weights, predictions, lines, details=details, seed=dev.seed)


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
    alone = {
        name: predictions for member in members for name, predictions in evaluate_alone(member, dev, output).items()
    }
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
        InputError: If a task is in two members, two started from other backbones, or one from the weights of a run.
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
        start = member.run.config["model"].get("init_from")
        if start is not None:
            raise InputError(
                f"{each.path}: started from the weights of {start} (expected those of {each.backbone}, to which all "
                "changes are added)"
            )
        check_backbone(each, first)
        if each.meaning.get("backbone") != first.meaning.get("backbone"):
            raise InputError(f"{each.path}: has another pooling or adapter than {first.path} (expected the same)")


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
        "data": {task: {"dev": sources[task]["dev"]} for task in predictions},
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
