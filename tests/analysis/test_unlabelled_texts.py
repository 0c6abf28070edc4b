import json
from pathlib import Path

import pytest
import yaml
from jsonargparse import ArgumentParser

from analysis.run import Run
from analysis.unlabelled_texts import main
from runtime.file_digest import digest
from tasks import Example, Task
from tests.analysis.written import ROWS, Row, write_data, write_run

LONG: list[Row] = [
    (f"s{number}", (f"film {number} is dull , but its music number {number} is nice",), str(number % 5))
    for number in range(12)
]
DATA = {**ROWS, "sst": LONG}


@pytest.fixture
def run(tmp_path) -> Path:
    write_data(tmp_path / "data", DATA)
    return write_run(tmp_path / "run", tmp_path / "data", {})


def change(run: Path, task: str, **settings: object) -> None:
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["tasks"][task]["init_args"] |= settings
    (run / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def read(folder: Path, task: str, split: str = "train") -> tuple[Task, list[Example]]:
    """Read a split of a task as the configuration that was written says."""
    settings = yaml.safe_load((folder / "made_texts.yaml").read_text(encoding="utf-8"))["tasks"][task]
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--task", type=Task)
    made = parser.instantiate(parser.parse_object({"task": settings})).task
    return made, [*made.read(split, folder.parent / "data", print)]


@pytest.mark.parametrize(("task", "made"), [("sst", 9), ("near", 20)])
def test_made_texts_follow_the_rows_and_have_no_label(task, made, run, tmp_path, capsys):
    folder = tmp_path / "a folder"
    assert main([str(run), "--count", f"{task}={made}", "--output", str(folder)]) == 0
    rows = Run(run).read_examples(task, "train")
    _, found = read(folder, task)
    assert found[: len(rows)] == rows
    assert len(found) == len(rows) + made
    assert all(each.label is None and each.id.startswith("made:") for each in found[len(rows) :])
    _, dev = read(folder, task, "dev")
    assert dev == Run(run).read_examples(task, "dev")
    printed = capsys.readouterr().out
    assert f"{len(rows)} rows and {made} " in printed
    assert f"-c '{folder / 'made_texts.yaml'}' --tasks.{task}.teacher.files" in printed


def test_tasks_that_are_not_named_stay_as_they_are(run, tmp_path):
    assert main([str(run), "--count", "sst=5", "near=5", "--output", str(tmp_path / "made")]) == 0
    written = yaml.safe_load((tmp_path / "made/made_texts.yaml").read_text())["tasks"]
    assert written["same"] == Run(run).config["tasks"]["same"]
    assert [*written] == ["sst", "same", "near"]
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == [
        "made_texts.yaml",
        "near-train.jsonl",
        "sst-train.jsonl",
    ]


def test_the_same_seed_makes_the_same_files(run, tmp_path):
    command = [str(run), "--count", "sst=5", "near=5", "--seed", "3", "--output"]
    for name in ("one", "two"):
        assert main([*command, str(tmp_path / name)]) == 0
    for name in ("sst-train.jsonl", "near-train.jsonl"):
        assert digest(tmp_path / "one" / name) == digest(tmp_path / "two" / name)


def test_a_limit_holds_for_the_rows_and_leaves_out_no_made_text(run, tmp_path):
    change(run, "sst", train_limit=4)
    assert main([str(run), "--count", "sst=5", "--output", str(tmp_path / "made")]) == 0
    task, found = read(tmp_path / "made", "sst")
    assert task.with_limits(train=2, dev=None).train_limit == 9  # data.train_limit leaves out none either
    assert sum(each.label is not None for each in found) == 4
    assert len(found) == 9


@pytest.mark.parametrize(
    "source",
    [
        {"all": "sst.csv", "dev_share": 0.25},
        {"train": "bare.csv", "dev": "bare.csv", "columns": ["id", "text1", "y"]},
        {"train": "sst.csv", "dev": "sst.csv", "encoding": "utf-16"},
    ],
)
def test_rows_come_from_any_source(source, run, tmp_path):
    data = tmp_path / "data"
    whole = (data / "sst.csv").read_text().replace("dull", "dull – наверно")
    (data / "sst.csv").write_text(whole, encoding=source.get("encoding", "utf-8"))
    (data / "bare.csv").write_text(whole.partition("\n")[2], encoding="utf-8")
    change(run, "sst", source=source)
    report = json.loads((run / "report.json").read_text())
    path = data / source.get("train", "sst.csv")
    part = {"path": str(path), "sha256": digest(path), "rows": 12}
    report["data"]["sst"] = {"train": part, "dev": part}
    (run / "report.json").write_text(json.dumps(report))
    assert main([str(run), "--count", "sst=9", "--output", str(tmp_path / "made")]) == 0
    for split, count in (("train", 9), ("dev", 0)):
        _, found = read(tmp_path / "made", "sst", split)
        rows = Run(run).read_examples("sst", split)
        assert found[: len(rows)] == rows
        assert len(found) - len(rows) == count


def test_labels_of_all_kinds_are_read_as_they_were(run, tmp_path):
    rows = [(*row[:2], "a;b" if number % 2 else "b") for number, row in enumerate(LONG)]
    write_data(tmp_path / "data", {**DATA, "sst": rows})
    config = yaml.safe_load((run / "config.yaml").read_text())
    settings = {"texts": ["text1"], "label": "y", "id": "id", "classes": ["a", "b"], "separator": ";"}
    config["tasks"]["sst"] = {
        "class_path": "tasks.MultiLabel",
        "init_args": {**settings, "source": {"train": "sst.csv", "dev": "sst.csv"}},
    }
    (run / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    report = json.loads((run / "report.json").read_text())
    for part in report["data"]["sst"].values():
        part["sha256"] = digest(tmp_path / "data/sst.csv")
    (run / "report.json").write_text(json.dumps(report))
    assert main([str(run), "--count", "sst=9", "--output", str(tmp_path / "made")]) == 0
    _, found = read(tmp_path / "made", "sst")
    assert [each.label for each in found[:2]] == [(1,), (0, 1)]
    assert {each.label for each in found[12:]} == {None}


@pytest.mark.parametrize(
    ("settings", "command", "message"),
    [
        ({}, "--count sts=5", "--count sts: no such task (expected sst, same, near)"),
        ({}, "--count sst=0", "--count is sst=0 (expected TASK=N with a whole number above 0)"),
        ({}, "--count sst", "--count is sst (expected TASK=N"),
        ({"train_rows": "a.csv"}, "--count sst=5", "--count sst: train_rows is set"),
        ({"train_limit": 1, "texts": ["y"]}, "--count sst=5", "task sst: its 1 training rows give no new text"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_written(settings, command, message, run, tmp_path, capsys):
    change(run, "sst", **settings)
    arguments = [str(run), *command.split(), "--output", str(tmp_path / "made")]
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = stop.code
    assert status == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "made").exists()


def test_rows_without_ids_and_with_gaps_of_their_own_are_taken(run, tmp_path):
    change(run, "sst", missing_labels=[""], id=None)
    assert main([str(run), "--count", "same=5", "sst=5", "--output", str(tmp_path / "made")]) == 0
    assert [each.label for each in read(tmp_path / "made", "sst")[1][-5:]] == [None] * 5


def test_rows_of_two_tasks_are_not_moved(run, tmp_path, capsys):
    change(run, "near", source={"train": "same.csv", "dev": "same.csv"})
    assert main([str(run), "--count", "same=5", "--output", str(tmp_path / "made")]) == 2
    assert "--count same: reads the rows of near (expected a task with rows of its own)" in capsys.readouterr().err


def test_a_folder_that_is_there_is_not_overwritten(run, tmp_path, capsys):
    (tmp_path / "made").mkdir()
    (tmp_path / "made/mine.txt").write_text("mine")
    assert main([str(run), "--count", "sst=5", "--output", str(tmp_path / "made")]) == 2
    assert "holds something already (expected a new or empty folder)" in capsys.readouterr().err
    assert (tmp_path / "made/mine.txt").read_text() == "mine"
