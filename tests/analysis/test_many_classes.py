"""A report on a thousand classes."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import yaml

from analysis.page import write_report
from analysis.run import Run
from analysis.slices import LABEL, slice_scores
from runtime.file_digest import digest

CLASSES = [f"intent {number}" for number in range(1000)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run that takes each of a hundred rows of intent 7 for intent 8, and is right everywhere else."""
    root = tmp_path_factory.mktemp("many")
    rows = [(f"r{number}", CLASSES[7] if number < 100 else CLASSES[number]) for number in range(1000)]
    write_csv(root / "own.csv", [["id", "text", "y"], *([name, f"text {name}", label] for name, label in rows)])
    files = {"train": "own.csv", "dev": "own.csv"}
    task = {"texts": ["text"], "label": "y", "id": "id", "classes": CLASSES, "source": files}
    config = {
        "tasks": {"own": {"class_path": "tasks.Classification", "init_args": task}},
        "data": {"root": str(root), "batch_size": 4, "schedule": None},
        "trainer": {"max_epochs": 2, "limit_train_batches": None},
    }
    source = {"path": str(root / "own.csv"), "sha256": digest(root / "own.csv"), "rows": len(rows)}
    report = {"metrics": {}, "baseline": {}, "seed": 1, "steps": 8, "versions": {}}
    (root / "predictions").mkdir()
    (root / "config.yaml").write_text(yaml.safe_dump(config))
    (root / "report.json").write_text(json.dumps({**report, "data": {"own": {"train": source, "dev": source}}}))
    predicted = [CLASSES[8] if label == CLASSES[7] else label for _, label in rows]
    cells = [[name, label] for (name, _), label in zip(rows, predicted, strict=True)]
    write_csv(root / "predictions" / "own-dev.csv", [["id", "Prediction"], *cells])
    shares = np.full((len(rows), 1000), 0.0002)
    shares[np.arange(len(rows)), [CLASSES.index(name) for name in predicted]] = 0.8002
    lines = [[name, *map(str, row)] for (name, _), row in zip(rows, shares.tolist(), strict=True)]
    write_csv(root / "predictions" / "own-dev-probabilities.csv", [["id", *CLASSES], *lines])
    return root


def write_csv(path: Path, rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def test_the_page_of_a_thousand_classes_is_small_and_names_the_confusions(folder, tmp_path):
    write_report([folder], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert len(page) < 2_000_000
    assert "The 30 of 1,000 classes that take part in most mistakes" in page
    assert "The 30 of 1,000 classes whose share of the predictions is furthest from that of dev." in page
    assert "Of the 1,000 labels, the 30 with the most mistakes." in page
    assert "Most frequent confusions" in page
    assert page.count("intent 7<") >= 4  # matrix, confusions, balance, recall


def test_the_recall_is_told_of_the_classes_with_the_most_mistakes(folder):
    slices = [one for one in slice_scores(Run(folder).read_predictions("own")) if one.grouping == LABEL]
    assert {one.name: (one.count, one.score) for one in slices}["intent 7"] == (100, 0.0)
    assert len(slices) <= 30
