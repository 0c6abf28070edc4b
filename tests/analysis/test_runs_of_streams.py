"""Runs of tasks over the same rows, some of them without a label, read back from their folders."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.run import Run
from experiments.members import Member, open_dev, read_dev
from inference.checkpoint import Checkpoint
from runtime.file_digest import digest
from tests.tables import STARS, TOPICS, table_config, write_table

IDS = [f"r{row}" for row in range(len(TOPICS))]


def write_run(folder: Path, options: Mapping[str, Any], **data: Any) -> Run:
    """Write a run of two tasks over the table, which predicted every dev row for both."""
    for name in ("train.tsv", "dev.tsv"):
        write_table(folder, name)
    tasks = {name: table_config()[name] for name in ("topic", "stars")}
    for task in tasks.values():
        del task["init_args"]["missing_labels"]
        task["init_args"] |= options
    config = {"tasks": tasks, "data": {"root": str(folder), "share_rows": True, **data}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    source = {"path": str(folder / "dev.tsv"), "sha256": digest(folder / "dev.tsv"), "rows": len(IDS)}
    (folder / "report.json").write_text(json.dumps({"data": {task: {"dev": source} for task in tasks}}))
    (folder / "predictions").mkdir()
    for task, cell in (("topic", "film"), ("stars", "3.0")):
        lines = ["id,Prediction", *(f"{name},{cell}" for name in IDS)]
        (folder / "predictions" / f"{task}-dev.csv").write_text("\n".join(lines) + "\n")
    return Run(folder)


@pytest.mark.parametrize("options", [{"broken_rows": "skip"}, {"missing_labels": "ignore"}], ids=["skip", "ignore"])
def test_predictions_of_rows_that_lack_a_label_are_read(options: dict[str, Any], tmp_path: Path) -> None:
    run = write_run(tmp_path, options)
    for task, cells in (("topic", TOPICS), ("stars", STARS)):
        found = run.read_predictions(task)
        assert [example.id for example in found.examples] == [
            name for name, cell in zip(IDS, cells, strict=True) if cell
        ]
        assert not found.is_partial


def test_tasks_apart_skip_the_rows_that_lack_their_label(tmp_path: Path) -> None:
    run = write_run(tmp_path, {"broken_rows": "skip"}, share_rows=False)
    assert len(run.read_examples("topic")) == sum(map(bool, TOPICS))


@pytest.mark.parametrize("options", [{"broken_rows": "skip"}, {"missing_labels": "ignore"}], ids=["skip", "ignore"])
def test_merged_weights_are_scored_on_the_rows_that_have_a_label(options: dict[str, Any], tmp_path: Path) -> None:
    run = write_run(tmp_path, options)
    checkpoint: Any = Checkpoint  # of which nothing is asked
    found = read_dev([Member(run, checkpoint)])
    assert {task: [example.id for _, example in each] for task, each in found.items()} == {
        task: [example.id for example in run.read_predictions(task).examples] for task in ("topic", "stars")
    }


def test_nothing_is_chosen_on_a_row_that_another_task_holds_out(tmp_path: Path) -> None:
    checkpoint: Any = Checkpoint  # as above
    member = Member(write_run(tmp_path, {"missing_labels": "ignore"}), checkpoint)
    for seed in range(9):
        dev = open_dev([member], seed)
        chosen, held_out = (
            [{examples[row].id for row in dev.cuts[task][half]} for task, examples in dev.examples.items()]
            for half in (0, 1)
        )
        assert set.union(*chosen) | set.union(*held_out) == {*IDS}
        assert not set.union(*chosen) & set.union(*held_out)
