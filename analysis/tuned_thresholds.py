"""A threshold for each label of a multi-label task, tuned on the dev split."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from analysis.json_file import write_json
from analysis.run import Run
from analysis.table import Table
from analysis.tuning import Floats, predict_held_out, tune_thresholds
from inference.checkpoint import find_checkpoint, read_checkpoint
from inference.exporting import find_root
from inference.parity import read_dev
from inference.predictor import Predictor
from inference.thresholds import thresholds_file
from tasks import InputError
from tasks.metrics import MetricName
from tasks.multi_label import LabelSetTask

SHOWN: tuple[MetricName, ...] = ("micro_f1", "macro_f1", "exact_match")


@dataclass(frozen=True)
class Tuned:
    """Thresholds of a task and what they are worth.

    Args:
        thresholds: By label.
        scores: Metrics of the dev split by what was predicted with: `half` (one half for every label), `held_out` (each
            half of the rows with the thresholds of the other) and `whole` (the thresholds, which have seen these rows).
    """

    thresholds: dict[str, float]
    scores: dict[str, dict[str, float]]

    @property
    def helps(self) -> bool:
        """Whether rows that tuning has not seen are better predicted: by F1 of the mean label, which is tuned."""
        return self.scores["held_out"]["macro_f1"] > self.scores["half"]["macro_f1"]


def tune(task: LabelSetTask, probabilities: Floats, labels: Floats, *, seed: int) -> Tuned:
    """Tune the thresholds of a task and score them.

    Args:
        task: The task.
        probabilities: Of its dev split, (n, C).
        labels: Its labels, (n, C).
        seed: Seed of the halves.
    """
    thresholds = tune_thresholds(probabilities, labels)
    predictions = {
        "half": probabilities > 0.5,
        "held_out": predict_held_out(probabilities, labels, seed=seed),
        "whole": probabilities > thresholds,
    }
    scored, target = replace(task, metrics=SHOWN), torch.from_numpy(labels)
    scores = {
        what: {str(name): value for name, value in scored.score(torch.tensor(found).long(), target, None).items()}
        for what, found in predictions.items()
    }
    return Tuned(dict(zip(task.class_names, thresholds.tolist(), strict=True)), scores)


def tune_run(folder: Path, *, seed: int) -> tuple[dict[str, Tuned], Path]:
    """Tune every multi-label task of a run with the weights that prediction and export take, and keep what helps.

    Args:
        folder: The run's folder.
        seed: Seed of the halves.

    Returns:
        What was tuned by task, and the `thresholds.json` that keeps it: of the run that wrote the checkpoint, which is
        the one before where a resumed run found no better weights.

    Raises:
        InputError: If the run has no such task, no checkpoint, or its dev data is not there.
    """
    run = Run(folder)
    if not any(isinstance(task, LabelSetTask) for task in run.tasks.values()):
        raise InputError(f"{folder}: has no multi-label task (it has {', '.join(run.tasks)})")
    path = find_checkpoint(folder)
    predictor, root = Predictor.load(path), find_root(read_checkpoint(path))
    found = {}
    for name, task in run.tasks.items():
        if isinstance(task, LabelSetTask):
            split = read_dev(task, root, most_rows=sys.maxsize)
            output = predictor.compute([name], split.texts)[name]
            shares = predictor.model.head(name).probabilities(output)
            assert shares is not None
            found[name] = tune(task, shares.double().numpy(), split.labels.double().numpy(), seed=seed)
    kept = {name: {"thresholds": one.thresholds, "scores": one.scores} for name, one in found.items() if one.helps}
    write_json(thresholds_file(path), {"checkpoint": path.name, "seed": seed, "tasks": kept})
    return found, thresholds_file(path)


def build_table(found: dict[str, Tuned]) -> Table:
    """Return the scores of each task with and without tuned thresholds."""
    names = {
        "half": "0.5 for every label",
        "held_out": "tuned on the other half of the rows",
        "whole": "tuned on these rows (flattered)",
    }
    rows = [
        [task if number == 0 else "", names[what], *(f"{scores[metric]:.4f}" for metric in SHOWN)]
        for task, one in found.items()
        for number, (what, scores) in enumerate(one.scores.items())
    ]
    return Table("thresholds, dev", ("task", "thresholds", *SHOWN), rows, num_text_columns=2)
