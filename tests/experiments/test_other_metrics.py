"""Comparisons of tasks whose first metric is neither accuracy nor Pearson's correlation."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from analysis.run import Predictions
from analysis.written_run import write_run
from experiments.systems import System, compare_systems
from runtime.file_digest import digest
from tasks import Classification, InputError, MultiLabel, Regression, Source, Task
from tests.experiments.run_folders import make_job

ROWS = 60
READING: dict[str, Any] = {"source": Source(train="rows.csv", dev="rows.csv"), "texts": ("text",)}
TASKS: dict[str, Task] = {
    "topic": Classification(**READING, label="topic", classes=("film", "book", "stage"), metrics=("macro_f1",)),
    "angry": Classification(**READING, label="angry", classes=("no", "yes"), metrics=("auroc",)),
    "tags": MultiLabel(
        **READING, label="tags", classes=("loud", "dear", "late"), separator=";", thresholds={"late": 0.3}
    ),
    "stars": Regression(**READING, label="stars", low=1, high=5, metrics=("spearman",)),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the folder of rows with a label of each task, drawn at random."""
    rng = np.random.default_rng(0)
    with (tmp_path / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "topic", "angry", "tags", "stars"])
        for number in range(ROWS):
            tags = ";".join(tag for tag in ("loud", "dear", "late") if rng.random() < 0.4) or "loud"
            rows.writerow(
                [f"text {number}", rng.choice(["film", "book"]), rng.choice(["no", "yes"]), tags, 1 + number % 5]
            )
    return tmp_path


def predict(task: Task, root: Path, *, noise: float, seed: int) -> Predictions:
    """Return labels with noise: probabilities of the classes, or scores."""
    rng, examples = np.random.default_rng(seed), list(task.read("dev", root, print))
    labels = task.labels.stack([example.label for example in examples])
    if labels.ndim == 1 and task.class_names:
        answers = np.eye(len(task.class_names))[labels.astype(int)] + noise * rng.random((ROWS, len(task.class_names)))
        answers /= answers.sum(axis=1, keepdims=True)
    elif task.class_names:
        answers = (labels + noise * rng.random(labels.shape)) / (1 + noise)
    else:
        answers = labels + noise * rng.normal(size=ROWS)
    predicted = task.labels.decide(torch.from_numpy(answers)).double().numpy()
    return Predictions(task, examples, labels, predicted, answers if task.class_names else None)


def make_system(root: Path, name: str, tasks: Mapping[str, Task], *, noise: float, runs: int = 2) -> System:
    """Write the runs of a system, and return it."""
    jobs = [make_job(root, name, seed) for seed in range(runs)]
    source = {"path": str(root / "rows.csv"), "sha256": digest(root / "rows.csv"), "rows": ROWS}
    settings = {
        task: {"class_path": type(found).__name__, "init_args": {**_arguments(found), "source": {"dev": "rows.csv"}}}
        for task, found in tasks.items()
    }
    for seed, job in enumerate(jobs):
        write_run(
            job.folder / "version_0",
            {task: predict(found, root, noise=noise, seed=seed) for task, found in tasks.items()},
            split="dev",
            config=yaml.safe_dump({"tasks": settings, "data": {"root": str(root)}}),
            report={"weights_sha256": "0", "seed": seed, "data": {task: {"dev": source} for task in tasks}},
        )
    return System(name, tuple(jobs))


def _arguments(task: Task) -> dict[str, Any]:
    """Return the settings of a task as a configuration has them."""
    names = ("texts", "label", "id", "classes", "separator", "thresholds", "low", "high", "metrics")
    found = {name: getattr(task, name) for name in names if getattr(task, name, None) is not None}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def test_differences_are_those_of_the_reported_scores(root: Path) -> None:
    good, poor = make_system(root, "good", TASKS, noise=1.0), make_system(root, "poor", TASKS, noise=4.0)
    assert good.metrics == {"topic": "macro_f1", "angry": "auroc", "tags": "micro_f1", "stars": "spearman"}
    found = compare_systems(good, poor)
    assert set(found.intervals) == {*TASKS, "mean"}
    for name, interval in found.intervals.items():
        assert interval.estimate == pytest.approx(np.mean(good.last[name]) - np.mean(poor.last[name]), abs=1e-5)
        assert interval.low < interval.estimate < interval.high
    assert found.verdict == "helped"
    assert compare_systems(poor, good).verdict == "hurt"


def test_tasks_over_one_file_share_its_rows_though_they_read_their_ids_from_different_columns(root: Path) -> None:
    stars: dict[str, Any] = {**READING, "label": "stars", "low": 1, "high": 5}
    tasks = {"numbered": Regression(**stars), "named": Regression(**stars, id="text")}
    good, poor = (make_system(root, name, tasks, noise=noise) for name, noise in (("good", 1.0), ("poor", 4.0)))
    assert good.answers["numbered"].places == good.answers["named"].places == list(range(2, ROWS + 2))
    found = compare_systems(good, poor).intervals
    assert found["numbered"] == found["named"] == found["mean"]


def test_exact_tests_are_of_accuracy_and_pearson_alone(root: Path) -> None:
    others = {
        "topic": Classification(**READING, label="topic", classes=("film", "book", "stage")),
        "tags": TASKS["tags"],
        "stars": Regression(**READING, label="stars", low=1, high=5),
    }
    one, two = (make_system(root, name, others, noise=noise, runs=1) for name, noise in (("one", 1.0), ("two", 2.0)))
    assert set(compare_systems(one, two).p_values) == {"topic", "stars"}


def test_systems_with_different_first_metrics_are_not_compared(root: Path) -> None:
    topic = Classification(**READING, label="topic", classes=("film", "book", "stage"))
    one = make_system(root, "one", {"topic": topic}, noise=1.0)
    other = make_system(root, "other", {"topic": TASKS["topic"]}, noise=1.0)
    with pytest.raises(InputError, match="one and other have different first metrics of topic"):
        compare_systems(one, other)


def test_a_missing_file_of_probabilities_is_named(root: Path) -> None:
    system = make_system(root, "one", {"angry": TASKS["angry"]}, noise=1.0, runs=1)
    (system.runs[0].folder / "predictions/angry-dev-probabilities.csv").unlink()
    with pytest.raises(
        InputError, match=r"version_0, task angry: has no file of probabilities \(expected one, which auroc"
    ):
        compare_systems(system, system)
