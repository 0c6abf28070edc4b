"""The trainings whose weights are merged, and what weights predict for their dev rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from analysis.run import Predictions, Run
from analysis.selection import HalfScores, first_metric, split_halves
from analysis.side_by_side import take
from experiments.merging import write_checkpoint
from inference import Predictor
from inference.checkpoint import Checkpoint, find_checkpoint, read_checkpoint
from tasks import Example, InputError


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
        """Return the mean of the tasks' first metrics on each half, of the tasks that enter the mean."""
        means = []
        for half in (0, 1):
            scores = []
            for found in predictions.values():
                if not found.task.in_mean:
                    continue
                rows = split_halves(len(found.examples), seed=self.seed)[half]
                scores.append(first_metric(take(found, rows.tolist())))
            means.append(float(np.mean(scores)))
        return HalfScores(*means)


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
    """Return the dev examples of every task that have a label, checked to be the same for all members.

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
    return {
        task: [example for example in run.read_examples(task) if example.label is not None]
        for task, (run, _) in found.items()
    }


def evaluate_alone(member: Member, dev: Dev, output: Path) -> dict[str, Predictions]:
    """Predict the dev rows of a member's tasks with its own weights; its run has saved those of the last ones."""
    return evaluate(member.checkpoint.weights, member.checkpoint, dev, output)


def evaluate(
    weights: Mapping[str, torch.Tensor], template: Checkpoint, dev: Dev, output: Path, **changes: Mapping[str, Any]
) -> dict[str, Predictions]:
    """Predict the dev rows of the tasks of a checkpoint with some weights.

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
    for name, task in predictor.tasks.items():
        head, examples = predictor.model.head(name), dev.examples[name]
        raw = predictor.compute([name], [example.texts for example in examples])[name]
        probabilities = head.probabilities(raw)
        found[name] = Predictions(
            task=task,
            examples=examples,
            labels=task.labels.stack([example.label for example in examples]),
            predictions=head.predict(raw).double().numpy(),
            probabilities=None if probabilities is None else probabilities.double().numpy(),
            split_size=len(examples),
        )
    return found
