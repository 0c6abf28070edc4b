"""Gaps, several labels a row, and classes of unequal size, through the command line."""

import json
from pathlib import Path
from typing import Any

from analysis.plan import plan_training
from analysis.run import Run
from tests.cli.command_line import CommandLine, read_report

STARS = ["0", "", "2", "1", "NA", "2", "0", "", "1", "2"]


def configure(folder: Path, class_path: str, rows: list[str], **settings: Any) -> Path:
    """Write a file whose rows are texts and labels, and the configuration of a task over it."""
    lines = [f"film {number}\t{label}" for number, label in enumerate(rows)]
    (folder / "own.tsv").write_text("\n".join(["text\tlabel", *lines]) + "\n")
    source = {"train": str(folder / "own.tsv"), "dev": str(folder / "own.tsv")}
    task = {"source": source, "texts": ["text"], "label": "label", **settings}
    (folder / "own.yaml").write_text(json.dumps({"tasks": {"own": {"class_path": class_path, "init_args": task}}}))
    return folder / "own.yaml"


def test_gaps_are_predicted_and_neither_trained_on_nor_scored(train: CommandLine) -> None:
    settings = {"num_classes": 3, "missing_labels": ["", "NA", -1], "metrics": ["accuracy", "auroc"]}
    folder = train("fit", config=configure(train.folder, "Classification", STARS, **settings))
    report = read_report(folder)
    counts = {key: value for key, value in report["data"]["own"]["train"].items() if key in ("rows", "labelled")}
    assert counts == {"rows": 10, "labelled": 7}
    assert sum(one["rows"] for one in report["classes"]["own"].values()) == 7
    lines = (folder / "predictions" / "own-dev.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["id", *map(str, range(10))]
    run = Run(folder)
    predictions = run.read_predictions("own")
    assert [example.label for example in predictions.examples] == [0, 2, 1, 2, 0, 1, 2]
    assert not predictions.is_partial
    assert plan_training(run)[0]["own"].examples == 7
