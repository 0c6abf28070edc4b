"""`source: {all: FILE, ...}` through the command line: train, resume, predict, check, plan, and all folds."""

import csv
import json
from pathlib import Path

import pytest

from analysis.run import Run
from experiments.folds import main
from tests.cli.command_line import CommandLine, read_report
from tests.tasks.test_splitting import films, write

FOLDED = {"folds": 3, "fold": 1, "group": "author"}
WHOLE = ["--trainer.max_epochs", "1", "--trainer.enable_progress_bar", "false"]


def flags_of(split: dict[str, object], root: Path) -> list[str]:
    options = {"source": {"all": "films.csv", **split}, "texts": ["text"], "label": "label"}
    options |= {"classes": ["good", "bad", "none"]}
    tasks = {"films": {"class_path": "Classification", "init_args": options}}
    return ["--tasks", json.dumps(tasks), "--data.root", str(root)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = films(30)
    rows[5] |= {"text": rows[0]["text"].upper()}  # of other authors
    return write(tmp_path / "films.csv", rows).parent


def read_split(run: Path) -> dict[str, list[str]]:
    with (run / "splits" / "films.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {split: [row["id"] for row in rows if row["split"] == split] for split in ("train", "dev")}


def test_a_run_on_one_file_says_which_rows_went_where_and_predicts_those_of_dev(train: CommandLine, folder, capsys):
    run = train("fit", *flags_of(FOLDED, folder), *WHOLE, config=None, quick=False)
    split = read_split(run)
    assert sorted(map(int, split["train"] + split["dev"])) == list(range(30))
    data = read_report(run)["data"]["films"]
    assert {name: (each["rows"], each["split"]) for name, each in data.items()} == {
        name: (len(rows), "folds: 3, fold: 1, group: author") for name, rows in split.items()
    }
    found = Run(run)
    assert [example.id for example in found.read_predictions("films").examples] == split["dev"]
    assert [example.id for example in found.read_examples("films", "train")] == split["train"]

    other = flags_of({**FOLDED, "fold": 2}, folder)
    train.refuse("fit", *other, *WHOLE, "--ckpt_path", run / "checkpoints" / "last.ckpt", config=None, quick=False)
    said = capsys.readouterr().err
    assert "tasks.films.split was 'folds: 3, fold: 1, group: author', is 'folds: 3, fold: 2, group: author'" in said

    predicted = train("predict", "-c", run / "config.yaml", "--ckpt_path", "last", config=None, quick=False)
    with (predicted / "predictions" / "films-dev.csv").open(newline="") as file:
        assert [row[0] for row in csv.reader(file)][1:] == split["dev"]


def test_check_and_plan_see_the_split_and_find_no_leak(train: CommandLine, folder, tmp_path, capsys):
    flags = flags_of({"dev_share": 0.2}, folder)
    train.raw("check", *train.tiny, *flags, "--json", str(tmp_path / "check.json"))
    findings = {found["check"]: found for found in json.loads((tmp_path / "check.json").read_text())["findings"]}
    assert not findings.keys() & {"leak", "repeated-ids"}
    train.raw("plan", *train.tiny, *flags, *WHOLE, "--json", str(tmp_path / "plan.json"))
    (plan,) = json.loads((tmp_path / "plan.json").read_text())["plans"]
    assert plan["tasks"]["films"]["rows"] == 24
    assert "6 of 30 rows are the dev split (dev_share: 0.2)" in capsys.readouterr().out


def test_a_group_that_is_not_there_is_told_and_leaves_no_run(train: CommandLine, folder, capsys):
    train.refuse("fit", *flags_of({**FOLDED, "group": "writer"}, folder), config=None)
    assert "films.csv: no column 'writer' (found 'text', 'label', 'author', 'score'" in capsys.readouterr().err
    assert not (train.folder / "runs").exists()


def test_all_folds_are_commands_with_a_seed_each(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "base.yaml").write_text(
        "tasks:\n  films: {class_path: Classification, init_args: {source: {all: films.csv, dev_share: 0.1}, "
        "texts: [text], label: label, classes: [good, bad, none]}}\n  sst: Sst\n"
        "model: {backbone: bert-base-uncased}\n"
    )
    assert main(["-c", "base.yaml", "--row", "plain=", "--folds", "4", "--dry_run"]) == 0
    commands = capsys.readouterr().out.splitlines()
    assert len(commands) == 4
    for fold, command in enumerate(commands):
        source = "--tasks.films.source"
        assert f"{source}.dev_share=null {source}.folds=4 {source}.fold={fold} --seed_everything 1" in command
        assert f"--trainer.logger.save_dir runs/folds/plain/fold-{fold} --trainer.logger.name seed-1" in command
        assert "tasks.sst" not in command
    assert main(["--row", "a=--tasks.sst Sst"]) == 2
    assert "--row a: no task has a file to split (expected source: {all: FILE" in capsys.readouterr().err
    assert main(["-c", "base.yaml", "--row", "a=", "--folds", "1"]) == 2
    assert "--folds 1: expected 2 or more" in capsys.readouterr().err
