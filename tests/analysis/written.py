"""Run folders written by hand: small, without a training."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from runtime.file_digest import digest

Row = tuple[str, tuple[str, ...], str]

SENTIMENT: list[Row] = [
    ("s1", ("a good film",), "3"),
    ("s2", ("not a good film",), "1"),
    ("s3", ("<script>alert(1)</script> film",), "0"),
    ("s4", ("the 2nd film of 10",), "4"),
    ("s5", ("dull",), "1"),
    ("<b>s6", ("great",), "4"),
]
PAIRS: list[Row] = [
    ("q1", ("how do I learn chess", "how do I learn go"), "no"),
    ("q2", ("how do I learn chess", "how can I learn chess"), "yes, same"),
    ("q3", ("what is 5 times 6", "what is 6 times 5"), "yes, same"),
    ("q4", ("who isn't there", "who is there"), "no"),
]
SCORES: list[Row] = [(f"t{n}", (f"a dog number {n}", f"a cat number {n + n % 3}"), f"{n / 3:.2f}") for n in range(12)]
TASKS: dict[str, Any] = {
    "sst": {
        "class_path": "tasks.Classification",
        "init_args": {"texts": ["text1"], "label": "y", "id": "id", "num_classes": 5},
    },
    "same": {
        "class_path": "tasks.PairClassification",
        "init_args": {"texts": ["text1", "text2"], "label": "y", "id": "id", "classes": ["no", "yes, same"]},
    },
    "near": {
        "class_path": "tasks.PairRegression",
        "init_args": {"texts": ["text1", "text2"], "label": "y", "id": "id", "low": 0, "high": 5},
    },
}
ROWS = {"sst": SENTIMENT, "same": PAIRS, "near": SCORES}
CLASSES = {"sst": ["0", "1", "2", "3", "4"], "same": ["no", "yes, same"]}


def write_data(root: Path, rows: Mapping[str, Sequence[Row]] = ROWS) -> None:
    """Write `<task>.csv` for each task."""
    root.mkdir(parents=True, exist_ok=True)
    for task, examples in rows.items():
        width = len(examples[0][1])
        with (root / f"{task}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", *(f"text{n + 1}" for n in range(width)), "y"])
            writer.writerows([name, *texts, label] for name, texts, label in examples)


def write_run(
    folder: Path,
    root: Path,
    predictions: Mapping[str, Mapping[str, tuple[str, Sequence[float] | None]]],
    *,
    drawn: Mapping[str, Any] | None = None,
    tasks: Sequence[str] = tuple(TASKS),
) -> Path:
    """Write a finished run over the data in `root`.

    Args:
        folder: The run's folder.
        root: Folder of the data, by `write_data`; the same file is train and dev split.
        predictions: By task and id: the predicted cell, and the probability of each class.
        drawn: What the report says that training drew.
        tasks: The tasks of the run.
    """
    (folder / "predictions").mkdir(parents=True)
    config: dict[str, Any] = {
        "tasks": {name: json.loads(json.dumps(TASKS[name])) for name in tasks},
        "data": {"root": str(root), "batch_size": 4, "schedule": None},
        "trainer": {"max_epochs": 2, "limit_train_batches": None},
    }
    data = {}
    for name in tasks:
        path = root / f"{name}.csv"
        config["tasks"][name]["init_args"]["source"] = {"train": path.name, "dev": path.name}
        source = {"path": str(path), "sha256": digest(path), "rows": len(path.read_text().splitlines()) - 1}
        data[name] = {"train": source, "dev": source}
    report = {"metrics": {"mean": None}, "baseline": {}, "seed": 1, "steps": 8, "data": data, "versions": {"x": "1"}}
    if drawn is not None:
        report["drawn"] = drawn
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    (folder / "report.json").write_text(json.dumps(report))
    for task, cells in predictions.items():
        lines = [f"{name}, {cell}" for name, (cell, _) in cells.items()]
        (folder / "predictions" / f"{task}-dev.csv").write_text("\n".join(["id, Prediction", *lines]) + "\n")
        if task in CLASSES:
            with (folder / "predictions" / f"{task}-dev-probabilities.csv").open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["id", *CLASSES[task]])
                writer.writerows([name, *(shares or [])] for name, (_, shares) in cells.items())
    return folder


def predict_all(**changes: str) -> dict[str, dict[str, tuple[str, Sequence[float] | None]]]:
    """Return right predictions of every example; `changes` are other cells by id."""
    found: dict[str, dict[str, tuple[str, Sequence[float] | None]]] = {}
    for task, rows in ROWS.items():
        found[task] = {}
        for name, _, label in rows:
            cell = changes.get(name, label)
            found[task][name] = (cell, _sure(CLASSES[task], cell) if task in CLASSES else None)
    return found


def _sure(classes: Sequence[str], cell: str) -> list[float]:
    rest = 0.2 / (len(classes) - 1)
    return [0.8 if name == cell else rest for name in classes]
