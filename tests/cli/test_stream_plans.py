"""`train.py plan` and `check` on tasks that share their rows."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_line import CommandLine, read_report
from tests.tables import table_config, write_table

NAME, PAIRS = "topic+stars+tags", "cross+bi"
EPOCHS = ["--trainer.max_epochs", "2", "--trainer.enable_progress_bar", "false"]


@pytest.fixture
def flags(tmp_path: Path) -> list[str]:
    root = tmp_path / "data"
    root.mkdir()
    for name in ("train.tsv", "dev.tsv"):
        write_table(root, name)
    return ["--data.root", str(root), "--tasks", json.dumps(table_config()), *EPOCHS]


def read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))


def test_a_plan_speaks_of_streams_and_is_what_the_training_does(
    train: CommandLine, flags: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train.raw("plan", *train.tiny, *flags, "--json", str(tmp_path / "plan.json"))
    said = capsys.readouterr().out
    assert "topic, stars and tags; cross and bi share their rows: one batch and one step" in " ".join(said.split())
    (plan,) = read(tmp_path / "plan.json")["plans"]
    assert {name: task["rows"] for name, task in plan["tasks"].items()} == {NAME: 11, PAIRS: 9}
    folder = train("fit", *flags, "--model.surgery", "PcGrad", config=None, quick=False)
    report = read_report(folder)
    drawn = {
        name: {key: task["visits"][key] for key in ("batches", "examples")} for name, task in plan["tasks"].items()
    }
    assert drawn == report["drawn"]
    assert plan["length"]["steps"] == report["steps"] == 12


def test_a_plan_says_what_keeps_tasks_over_the_same_texts_apart(
    train: CommandLine, flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    train.raw("plan", *train.tiny, *flags, "--tasks.stars.batch_size", "2")
    said = " ".join(capsys.readouterr().out.split())
    assert "topic and tags and stars read the same texts but differ in batch_size: they share no batch" in said


def test_a_check_says_what_is_wrong_with_texts_once_for_all_tasks_over_them(
    train: CommandLine, flags: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train.raw("check", *train.tiny, *flags, "--json", str(tmp_path / "found.json"))
    found = read(tmp_path / "found.json")
    assert list(found["tasks"]) == list(table_config())
    leaks = [finding["task"] for finding in found["findings"] if finding["check"] == "leak"]
    assert leaks == [f"{NAME}+{PAIRS}"]
    said = capsys.readouterr().out
    assert f"error  {NAME}+{PAIRS} dev: 11 of 11 rows (100.0%) are in the train split too" in said
    assert said.count("are in the train split too") == 1
