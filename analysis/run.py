"""A finished run, read from its folder."""

import copy
import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augmentation import PREFIX
from heads import Label, Scores
from runtime.file_digest import digest
from runtime.strict_yaml import read_yaml_file
from tasks import Example, InputError, Split, Task
from tasks.encoding import refuse_both


@dataclass(frozen=True)
class Predictions:
    """What a run predicted for one split of a task, and the labels.

    Args:
        task: The task.
        examples: The examples in file order, [n].
        labels: Class indices or scores, (n,), or sets, (n, C).
        predictions: Predicted labels in label units, in that shape.
        probabilities: Probability of each class, (n, C); None for scores.
        split_size: Examples in the whole split; more than n where the run was told to predict a part of it.
    """

    task: Task
    examples: list[Example]
    labels: NDArray[np.float64]
    predictions: NDArray[np.float64]
    probabilities: NDArray[np.float64] | None
    split_size: int | None = None

    @property
    def is_partial(self) -> bool:
        """Whether some examples of the split have no prediction."""
        return self.split_size is not None and self.split_size > len(self.examples)

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """Whether each prediction is the label, (n,); of a score, whether it is less than a tenth of the range away."""
        return self.task.labels.is_right(self.predictions, self.labels)

    @property
    def confidence(self) -> NDArray[np.float64] | None:
        """Probability of each predicted label, (n,); None for scores."""
        if self.probabilities is None:
            return None
        return self.task.labels.confidence(self.predictions, self.probabilities)


@dataclass(frozen=True)
class Run:
    """One run folder: `config.yaml`, `report.json`, `predictions/`.

    Args:
        folder: The folder.

    Raises:
        InputError: If it is not the folder of a finished run.
    """

    folder: Path

    def __post_init__(self) -> None:
        for name, note in (("config.yaml", ""), ("report.json", "; predict runs and stopped ones have none")):
            if not (self.folder / name).is_file():
                raise InputError(f"{self.folder}: has no {name} (expected the folder of a finished run{note})")

    @property
    def name(self) -> str:
        """`<configuration>/version_N`."""
        folder = self.folder.absolute()
        return f"{folder.parent.name}/{folder.name}"

    @cached_property
    def report(self) -> Mapping[str, Any]:
        """What `report.json` holds."""
        path = self.folder / "report.json"
        try:
            report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(f"{path}: not JSON ({error}; expected what a run wrote)") from None
        if any("sequences" in part for parts in report.get("data", {}).values() for part in parts.values()):
            raise InputError(
                f"{self.folder}: a run of pretrain.py (expected one of train.py; "
                f"its curves: tensorboard --logdir {self.folder})"
            )
        return report

    @property
    def scored_split(self) -> Split:
        """The split whose scores the report holds."""
        return "test" if any("test" in splits for splits in self.report["data"].values()) else "dev"

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """What `config.yaml` holds, as plain data."""
        path = self.folder / "config.yaml"
        try:
            config = read_yaml_file(path)
        except ValueError as error:
            raise InputError(str(error)) from None
        if not isinstance(config, dict) or not {"tasks", "data"} <= config.keys():
            raise InputError(f"{path}: not the configuration of a multitask run (expected tasks and data)")
        return config

    @cached_property
    def tasks(self) -> Mapping[str, Task]:
        """The run's tasks by name, which read their rows as the run did and decide on sets of labels as it did.

        Raises:
            InputError: If an earlier version encoded one both ways.
        """
        from jsonargparse import ArgumentParser

        from datamodules.streams import fill_gaps, find_streams  # here: both take a second
        from inference.thresholds import with_thresholds

        refuse_both(self.config["tasks"], self.folder / "config.yaml")

        parser = ArgumentParser(exit_on_error=False)
        parser.add_argument("--tasks", type=dict[str, Task])
        parsed = parser.instantiate(parser.parse_object({"tasks": copy.deepcopy(self.config["tasks"])}))
        data = self.config["data"]
        limits = {"train": data.get("train_limit"), "dev": data.get("dev_limit")}
        tasks = {name: task.with_limits(**limits) for name, task in parsed.tasks.items()}
        tasks = with_thresholds(tasks, self.report.get("thresholds", {}))
        return fill_gaps(tasks, find_streams(tasks, share_rows=data.get("share_rows", False)))

    def read_examples(self, task: str, split: Split = "dev") -> list[Example]:
        """Read the examples that a prediction file is about, from the file that the run read.

        Raises:
            InputError: As `read_located`.
        """
        return [example for _, example in self.read_located(task, split)]

    def read_located(self, task: str, split: Split = "dev") -> list[tuple[int, Example]]:
        """Return what `read_examples` does, each behind the line (or row) of the file that it stands on.

        Tasks over one file share its lines, whichever columns their ids are read from.

        Raises:
            InputError: If the run read no such split, or the file is missing or has changed since.
        """
        source = self.report["data"].get(task, {}).get(split)
        if source is None:
            raise InputError(f"{self.name} read no {split} split of {task}")
        path = Path(source["path"])
        if self.tasks[task].source.hub is None:
            if not path.is_file():
                raise InputError(f"{path}: no such file (the {split} split of {task}, as {self.name} read it)")
            if digest(path) != source["sha256"]:
                raise InputError(f"{path}: has changed since {self.name} read it (different SHA-256)")
        root = Path(self.config["data"]["root"]).expanduser()
        located = self.tasks[task].read_located(split, root, lambda message: None)
        return [(int(where.rpartition(" ")[2]), example) for where, example in located]

    def has_predictions(self, task: str, split: Split = "dev") -> bool:
        """Whether the run wrote predictions of a split of a task."""
        return (self.folder / "predictions" / f"{task}-{split}.csv").is_file()

    def read_predictions(self, task: str, split: Split = "dev", *, allow_partial: bool = False) -> Predictions:
        """Read the predictions of a labelled split, of the examples that have a label.

        Args:
            task: Name of the task.
            split: Which split.
            allow_partial: Whether the file may hold a part of the split only, as under `--trainer.limit_val_batches`.

        Raises:
            InputError: If the run wrote none, they do not match the examples of the split, they lack some and
                `allow_partial` is off, or the split has no labels.
        """
        path = self.folder / "predictions" / f"{task}-{split}.csv"
        if not path.is_file():
            raise InputError(f"{path}: no such file (expected the {split} predictions of {self.name})")
        everything = self.read_examples(task, split)
        kind = self.tasks[task]
        examples, predicted = match_predictions(path, everything, kind)
        known = np.flatnonzero([example.label is not None for example in examples])
        if len(known) < (1 if kind.ignores_gaps else len(examples)):
            raise InputError(f"{path}: the {split} split of {task} has no labels to compare with")
        size = sum(example.label is not None for example in everything)
        if len(known) < size and not allow_partial:
            raise InputError(
                f"{path}: holds {len(known)} of the {size} examples of the {split} split of {task} "
                "(expected all; the run predicted a part only, as under --trainer.limit_val_batches)"
            )
        probabilities = _read_probabilities(path, [example.id for example in examples], kind)
        labelled = [examples[row] for row in known]
        return Predictions(
            task=kind,
            examples=labelled,
            labels=kind.labels.stack([example.label for example in labelled]),
            predictions=kind.labels.stack(predicted)[known],
            probabilities=None if probabilities is None else probabilities[known],
            split_size=size,
        )


def match_predictions(path: Path, examples: Sequence[Example], task: Task) -> tuple[list[Example], list[Label]]:
    """Return the examples that a prediction file is about, in its order, which is that of the split, and its labels.

    Pairs that were made by rule beside a train split are left out.
    """
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, skipinitialspace=True)
        rows = [(reader.line_num, row) for row in reader][1:]
    if task.generated_pairs is not None:
        rows = [(number, row) for number, row in rows if not row or not row[0].startswith(PREFIX)]
    if not rows:
        raise InputError(f"{path}: holds no prediction")
    matched, labels = [], list[Label]()
    remaining = iter(examples)
    for number, row in rows:
        name, cell = row[0] if row else "", ", ".join(row[1:])  # earlier versions left a class with a comma unquoted
        example = next((one for one in remaining if one.id == name), None)
        if example is None:
            raise InputError(f"{path}, line {number}: {', '.join(row)!r} does not match the next example of the split")
        try:
            labels.append(_parse_score(cell) if isinstance(task.labels, Scores) else task.parse_label(cell))
        except ValueError as error:
            raise InputError(f"{path}, line {number}: the prediction is {cell!r} (expected {error})") from None
        matched.append(example)
    return matched, labels


def _parse_score(cell: str) -> float:
    """Return the score in a cell; unlike a label it may lie outside the range."""
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError("a finite number")
    return value


def _read_probabilities(path: Path, names: Sequence[str], task: Task) -> NDArray[np.float64] | None:
    """Read the probabilities that belong to a prediction file, (n, C); None if there are none, as for scores."""
    path = path.with_name(f"{path.stem}-probabilities.csv")
    if not path.is_file():
        return None
    found, shares = [], []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        for name, *cells in reader:
            found.append(name)
            shares.append(np.fromiter(map(float, cells), np.float64, len(cells)))  # a row of cells at a time
    classes = task.class_names
    if tuple(header[1:]) != classes:
        raise InputError(f"{path}: its columns are {', '.join(header[1:])} (expected the classes {', '.join(classes)})")
    if found != list(names):
        raise InputError(f"{path}: its ids are not those of the prediction file")
    return np.stack(shares)
