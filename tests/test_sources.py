"""Sources, limits and files of tasks from the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.run import Run
from command_line.parser import Parser
from tasks import Source, Sst, Task, Texts
from tests.runs import Project

Projects = Callable[..., Project]
OWN = {
    "class_path": "Classification",
    "init_args": {"source": {"train": "a.csv", "dev": "b.csv", "test": "c.csv"}, "texts": ["t"], "label": "y"},
}
OWN["init_args"]["num_classes"] = 2  # type: ignore[index]
PRESET = Sst().source


def parse(folder: Path, tasks: Any, *flags: str) -> dict[str, Source]:
    """Return the sources that a configuration and flags give."""
    parser = Parser(exit_on_error=False)
    parser.add_argument("-c", action="config")
    parser.add_argument("--tasks", type=dict[str, Task])
    (folder / "a.yaml").write_text(yaml.safe_dump({"tasks": tasks}))
    parsed = parser.parse_args(["-c", str(folder / "a.yaml"), *flags])
    (folder / "saved.yaml").write_text(parser.dump(parsed))  # as a run saves it
    again = parser.instantiate(parser.parse_args(["-c", str(folder / "saved.yaml")])).tasks
    found = {name: task.source for name, task in parser.instantiate(parsed).tasks.items()}
    assert {name: task.source for name, task in again.items()} == found
    return found


def preset(**changes: str | None) -> Source:
    return Source(**{**{split: getattr(PRESET, split) for split in ("train", "dev", "test")}, **changes})


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], preset()),
        (["--tasks.sst.source.test", "f.csv"], preset(test="f.csv")),
        (["--tasks.sst.source.test=null"], preset(test=None)),
        (["--tasks.sst.source.test", "f.csv", "--tasks.sst.source.dev", "null"], preset(test="f.csv", dev=None)),
        (["--tasks.sst.source.encoding", "cp1252"], Source(**{**vars(PRESET), "encoding": "cp1252"})),
        (["--tasks.sst.source.columns", "[id, sentence]"], Source(**{**vars(PRESET), "columns": ("id", "sentence")})),
        (["--tasks.sst.source", "{train: f.csv}"], Source(train="f.csv")),
        (["--tasks.sst.source={hub: a/b, name: c}"], Source(hub="a/b", name="c")),
        (
            ["--tasks.sst.source", "{train: f.csv}", "--tasks.sst.source.dev", "g.csv"],
            Source(train="f.csv", dev="g.csv"),
        ),
        (["--tasks.sst", "{class_path: Sst, init_args: {source: {dev: f.csv}}}"], Source(dev="f.csv")),
    ],
)
def test_one_split_of_a_preset_can_be_set_and_a_map_replaces_them_all(
    flags: list[str], expected: Source, tmp_path: Path
) -> None:
    assert parse(tmp_path, {"sst": "Sst"}, *flags) == {"sst": expected}


def test_one_split_of_a_tasks_own_source_can_be_set_replaced_or_removed(tmp_path: Path) -> None:
    flags = ["--tasks.own.source.test=null", "--tasks.own.source.dev=d.csv", "--tasks.sst.source.train=e.csv"]
    tasks = {"own": OWN, "sst": {"class_path": "Sst", "init_args": {"source": {"dev": "x.csv"}}}}

    assert parse(tmp_path, tasks) == {
        "own": Source(train="a.csv", dev="b.csv", test="c.csv"),
        "sst": Source(dev="x.csv"),
    }
    expected = {"own": Source(train="a.csv", dev="d.csv"), "sst": Source(train="e.csv", dev="x.csv")}
    assert parse(tmp_path, tasks, *flags) == expected


def test_one_file_of_a_text_source_can_be_set(tmp_path: Path) -> None:
    parser = Parser(exit_on_error=False)
    parser.add_argument("--texts", type=dict[str, Texts])
    flags = ["--texts={a: {source: {train: a.txt, encoding: cp1252}}}", "--texts.a.source.train=b.txt"]

    found = parser.instantiate(parser.parse_args(flags)).texts

    assert found == {"a": Texts(source=Source(train="b.txt", encoding="cp1252"))}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--tasks.sst.source.tst", "x"], "source of Sst has no tst (did you mean test?) (expected one of train, dev"),
        (["--tasks.sst.source={validation: x}"], "source of Sst has no validation (expected one of train, dev, test"),
        (
            ["--tasks.sst.source", "{}"],
            "tasks.sst: source is empty (expected all, train, dev or test with a file, or hub",
        ),
        (
            ["--tasks.sst.source.hub", "a/b"],
            "tasks.sst: source.train is 'ids-sst-train.csv' beside source.hub a/b (expected",
        ),
    ],
)
def test_sources_that_are_refused(flags: list[str], message: str, tiny_project: Projects) -> None:
    ended = tiny_project(tasks={"sst": "Sst"}).run(*flags)

    assert ended.code == 2, ended.output
    assert message in ended.output
    assert "Traceback" not in ended.output


def test_a_missing_test_file_stops_predict_for_its_task_only(whole_run: Any, tmp_path: Path) -> None:
    project = whole_run()
    checkpoint = ("--ckpt_path", str(project.version(0) / "checkpoints" / "last.ckpt"))
    gone = "--tasks.sst.source.test=gone.csv"

    ended = project.run(*checkpoint, gone, command="predict")

    assert ended.code == 0, ended.output
    assert ended.output.count("task sst: left out") == 1
    assert "gone.csv: no such file (the test split; relative paths start from --data.root" in ended.output
    written = {name for name in project.predictions(0, "predict") if "probabilities" not in name}
    assert written == {"sst-dev.csv", "quora-dev.csv", "quora-test.csv", "sts-dev.csv", "sts-test.csv"}

    flags = [f"--tasks.{task}.source.{split}=gone.csv" for task in ("sst", "quora", "sts") for split in ("dev", "test")]
    ended = project.run(*checkpoint, *flags, command="predict")
    assert ended.code == 2
    assert "error: predict: the files of dev and test are missing for every task" in ended.output


def test_limits_hold_for_all_tasks_that_have_none_of_their_own(tiny_project: Projects) -> None:
    project = tiny_project(**{"data.train_limit": 6, "data.dev_limit": 7, "trainer.max_epochs": 1})
    ended = project.run("--tasks.sts.train_limit", "8", "--tasks.sst.dev_limit", "5")

    assert ended.code == 0, ended.output
    rows = {
        task: {split: files["rows"] for split, files in splits.items()} for task, splits in data_of(project).items()
    }
    assert rows == {"sst": {"train": 6, "dev": 5}, "quora": {"train": 6, "dev": 7}, "sts": {"train": 8, "dev": 7}}
    lines = project.predictions(0)["quora-dev.csv"].splitlines()
    assert len(lines) == 1 + 7

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        assert Run(project.version(0)).read_predictions("quora").split_size == 7

    refused = project.run("--data.dev_limit", "0")
    assert (refused.code, "dev_limit is 0 (expected 1 or more)" in refused.output) == (2, True)


def data_of(project: Project) -> dict[str, Any]:
    return dict(json.loads((project.version(0) / "report.json").read_text())["data"])
