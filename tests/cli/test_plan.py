"""`train.py plan`: the report of the training that follows, files, statuses and mistakes."""

import json
from pathlib import Path

import pytest

from planning.command import plan
from tasks import InputError
from tests.cli.command_line import CS224N, EPOCHS, read_report

ROWS = ["--tasks.sst.batch_size", "5", "--tasks.quora.batch_size", "3"]


def plans(path: Path) -> list[dict]:
    return json.loads(path.read_text())["plans"]


def look(train, *flags: object) -> None:
    train.raw("plan", "-c", str(CS224N), *train.tiny, *map(str, flags))


def test_a_plan_says_what_the_training_reports_and_leaves_no_run(train, capsys, tmp_path):
    flags = [*ROWS, "--data.schedule", "Joint", "--trainer.max_epochs", 2]
    look(train, *flags, "--json", tmp_path / "out" / "plan.json", "--figure", tmp_path / "plan.png")
    said = capsys.readouterr().out
    assert not (train.folder / "runs").exists()
    (plan,) = plans(tmp_path / "out" / "plan.json")
    assert (tmp_path / "plan.png").read_bytes().startswith(b"\x89PNG")
    report = read_report(train("fit", *flags, quick=False))
    drawn = {
        name: {key: task["visits"][key] for key in ("batches", "examples")} for name, task in plan["tasks"].items()
    }
    assert drawn == report["drawn"]
    assert plan["length"]["steps"] == report["steps"] == 6
    assert plan["length"]["batches_per_step"] == 3
    assert "validations:  after step 3, 6\n" in said
    assert "plan of cs224n: how much" in said


def test_configurations_stand_side_by_side(train, capsys, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text("data: {schedule: {class_path: Staged, init_args: {first: sst, epochs: 2}}}\n")
    look(train, "--against", f"{CS224N},{other}", "--json", tmp_path / "plan.json", "--trainer.max_epochs", 2)
    mine, theirs = plans(tmp_path / "plan.json")
    assert (mine["name"], theirs["name"]) == ("cs224n", "other")
    assert [task["visits"]["batches"] for task in mine["tasks"].values()] == [6, 6, 6]
    assert [task["visits"]["batches"] for task in theirs["tasks"].values()] == [18, 0, 0]
    said = capsys.readouterr().out
    assert "plans side by side" in said
    assert "other: error: task sts has no batch in the whole training\n" in said
    assert "cs224n: error" not in said


def test_strict_ends_with_3_where_a_task_is_never_trained(train):
    with pytest.raises(SystemExit) as ended:
        look(train, "--data.schedule", "Sequential", *EPOCHS, "--strict")
    assert ended.value.code == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"figure": Path("plan.xyz")},
            r"--figure plan\.xyz: cannot be drawn \(expected a name with \.png, \.svg, \.pdf\)",
        ),
        ({"time": -1}, r"--time is -1 \(expected 0 or more steps\)"),
        ({"passes": 0}, r"--passes is 0 \(expected more than 0\)"),
    ],
)
def test_an_option_out_of_range_is_refused_before_anything_is_read(options, said):
    with pytest.raises(InputError, match=said):
        plan([], **options)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--against", "missing.yaml"], "missing.yaml"),
        (["--trainer.fast_dev_run", "true"], "trainer.fast_dev_run leaves no training to plan (expected false)"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_one_sentence(flags, said, train, capsys):
    with pytest.raises(SystemExit) as ended:
        look(train, *flags)
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err
    assert list(train.folder.iterdir()) == []
