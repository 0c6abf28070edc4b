"""A finished run, read from its folder."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from tasks import Example, InputError, Split, Task
from tasks.source import digest


@dataclass(frozen=True)
class Predictions:
    """What a run predicted for one split of a task, beside what was right.

    Args:
        task: The task.
        examples: The examples in file order, [n].
        labels: Class indices or scores, (n,).
        predictions: Predicted labels in label units, (n,).
        probabilities: Probability of each class, (n, C); None for scores.
    """

    task: Task
    examples: list[Example]
    labels: NDArray[np.float64]
    predictions: NDArray[np.float64]
    probabilities: NDArray[np.float64] | None


@dataclass(frozen=True)
class Run:
    """One run folder: `config.yaml`, `report.json`, `predictions/`.

    Args:
        folder: The folder.

    Raises:
        InputError: If it is no folder of a finished run.
    """

    folder: Path

    def __post_init__(self) -> None:
        for name in ("config.yaml", "report.json"):
            if not (self.folder / name).is_file():
                raise InputError(f"{self.folder}: has no {name} (expected the folder of a finished run)")

    @property
    def name(self) -> str:
        """`<configuration>/version_N`."""
        folder = self.folder.absolute()
        return f"{folder.parent.name}/{folder.name}"

    @cached_property
    def report(self) -> Mapping[str, Any]:
        """What `report.json` holds."""
        report: dict[str, Any] = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        return report

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """What `config.yaml` holds, as plain data."""
        config: dict[str, Any] = yaml.safe_load((self.folder / "config.yaml").read_text(encoding="utf-8"))
        return config

    @cached_property
    def tasks(self) -> Mapping[str, Task]:
        """The run's tasks by name."""
        from jsonargparse import ArgumentParser

        parser = ArgumentParser(exit_on_error=False)
        parser.add_argument("--tasks", type=dict[str, Task])
        parsed = parser.instantiate(parser.parse_object({"tasks": self.config["tasks"]}))
        tasks: dict[str, Task] = parsed.tasks
        return tasks

    def read_examples(self, task: str, split: Split = "dev") -> list[Example]:
        """Read the examples that a prediction file is about, from the file that the run read.

        Raises:
            InputError: If the file is gone or has changed since.
        """
        source = self.report["data"][task][split]
        path = Path(source["path"])
        if "hub" not in self.tasks[task].source:
            if not path.is_file():
                raise InputError(f"{path}: no such file (the {split} split of {task}, as {self.name} read it)")
            if digest(path) != source["sha256"]:
                raise InputError(f"{path}: has changed since {self.name} read it (its SHA-256 is another)")
        return list(self.tasks[task].read(split, Path(self.config["data"]["root"]), lambda message: None))

    def read_predictions(self, task: str, split: Split = "dev") -> Predictions:
        """Read the predictions of a labelled split.

        Raises:
            InputError: If the run wrote none, or they are not about the examples of the split.
        """
        path = self.folder / "predictions" / f"{task}-{split}.csv"
        if not path.is_file():
            raise InputError(f"{path}: no such file (expected the predictions of {self.name})")
        examples = self.read_examples(task, split)
        names, predicted = _read_columns(path)
        if names != [example.id for example in examples]:
            raise InputError(f"{path}: its ids are not those of the {split} split of {task}")
        kind = self.tasks[task].labels.kind
        values = [float(cell[0]) if kind == "score" else self.tasks[task].parse_label(cell[0]) for cell in predicted]
        if any(example.label is None for example in examples):
            raise InputError(f"{path}: the {split} split of {task} has no labels to compare with")
        return Predictions(
            task=self.tasks[task],
            examples=examples,
            labels=np.array([example.label for example in examples], dtype=np.float64),
            predictions=np.array(values, dtype=np.float64),
            probabilities=self._read_probabilities(path, names),
        )

    def _read_probabilities(self, path: Path, names: list[str]) -> NDArray[np.float64] | None:
        path = path.with_name(f"{path.stem}-probabilities.csv")
        if not path.is_file():
            return None
        found, cells = _read_columns(path)
        if found != names:
            raise InputError(f"{path}: its ids are not those of the prediction file beside it")
        return np.array(cells, dtype=np.float64)


def _read_columns(path: Path) -> tuple[list[str], list[list[str]]]:
    """Give the ids and the other cells of each row of a prediction file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, skipinitialspace=True))[1:]
    return [row[0] for row in rows], [row[1:] for row in rows]
