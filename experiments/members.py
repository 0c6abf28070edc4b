"""The trainings whose weights are merged, and what weights predict for their dev rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from analysis.run import Predictions, Run
from analysis.selection import HalfScores, Halves, first_metric, split_tasks
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
        places: Line or row of its file that each of them stands on, likewise.
        files: Digest of the dev file of each task that enters the mean.
        seed: Seed of the halves.
    """

    examples: Mapping[str, list[Example]]
    places: Mapping[str, list[int]]
    files: Mapping[str, str]
    seed: int

    @cached_property
    def cuts(self) -> dict[str, Halves]:
        """The rows of either half, by task that enters the mean."""
        return split_tasks({name: self.places[name] for name in self.files}, self.files, seed=self.seed)

    def halves(self, predictions: Mapping[str, Predictions]) -> HalfScores:
        """Return the mean of the tasks' first metrics on each half, of the tasks that enter the mean."""
        means = []
        for half in (0, 1):
            scores = []
            for name, found in predictions.items():
                if found.task.in_mean:
                    scores.append(first_metric(take(found, self.cuts[name][half].tolist())))
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


def read_dev(members: Sequence[Member]) -> dict[str, list[tuple[int, Example]]]:
    """Return the dev examples of every task that have a label, checked to be the same for all members.

    Each stands behind its line or row of the file.

    Raises:
        InputError: If two members read other dev rows of a task, or a file has changed.
    """
    found: dict[str, tuple[Run, list[Any]]] = {}
    for member in members:
        for task in member.run.tasks:
            source = member.run.report["data"].get(task, {}).get("dev", {})
            rows = [source.get(key) for key in ("sha256", "rows", "split")]
            other, before = found.setdefault(task, (member.run, rows))
            if before != rows:
                raise InputError(
                    f"{member.run.folder} has other dev rows of {task} than {other.folder} (expected the same file "
                    "and split)"
                )
    return {
        task: [(place, example) for place, example in run.read_located(task) if example.label is not None]
        for task, (run, _) in found.items()
    }


def open_dev(members: Sequence[Member], seed: int) -> Dev:
    """Return the dev rows of the members' tasks.

    Raises:
        InputError: As `read_dev`.
    """
    files = {
        name: str(member.run.report["data"][name]["dev"]["sha256"])
        for member in members
        for name, task in member.run.tasks.items()
        if task.in_mean
    }
    located = read_dev(members)
    examples = {task: [example for _, example in each] for task, each in located.items()}
    places = {task: [place for place, _ in each] for task, each in located.items()}
    return Dev(examples, places, files, seed)


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
