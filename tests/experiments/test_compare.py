import json
import shlex
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from experiments.compare import main
from experiments.own_rows import read_own_rows
from tests.experiments.run_folders import almost_right, dev_labels, make_job, write_run

BACKBONE = "model: {backbone: bert-base-uncased}\n"
TASKS = "tasks: {sst: Sst, quora: Quora, sts: Sts}\n"
ROWS = """\
- name: plain
  command: python train.py fit -c base.yaml
- name: bi
  command: |
    python train.py fit -c base.yaml \\
        --tasks.sts.encoding bi
- name: 'bi+heavy'
  command: -c base.yaml --config=heavy.yaml --tasks.sts.encoding=bi
  compare_with: bi
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, which holds three rows and their configurations."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.yaml").write_text(TASKS + BACKBONE)
    (tmp_path / "heavy.yaml").write_text("data: {batch_size: 64}\n")
    (tmp_path / "one.yaml").write_text(f"tasks: {{sst: Sst}}\n{BACKBONE}")
    (tmp_path / "other.yaml").write_text(f"tasks: {{sts: Sts}}\n{BACKBONE}")
    (tmp_path / "rows.yaml").write_text(ROWS)
    return tmp_path


@pytest.fixture
def dry_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[list[str]]]:
    """Return the commands that arguments lead to, as words."""

    def commands(*arguments: str) -> list[list[str]]:
        assert main(["--dry_run", *arguments]) == 0
        return [shlex.split(line) for line in capsys.readouterr().out.splitlines()]

    return commands


def configs(words: list[str]) -> list[str]:
    return [word for flag, word in pairwise(words) if flag == "-c"]


def test_each_row_of_a_file_and_seed_is_a_command_with_paths_from_the_current_folder(dry_run, folder):
    found = dry_run("rows.yaml", "--seeds", "2")
    assert [configs(words) for words in found] == [
        *[["base.yaml"], ["base.yaml"], ["base.yaml"], ["base.yaml"]],
        *[["base.yaml", "heavy.yaml"], ["base.yaml", "heavy.yaml"]],
    ]
    assert ["--tasks.sts.encoding" in words for words in found] == [False, False, True, True, False, False]
    assert "--tasks.sts.encoding=bi" in found[4]
    last = dict(pairwise(found[5]))
    assert (last["--seed_everything"], last["--trainer.logger.name"]) == ("2", "seed-2")
    assert last["--trainer.logger.save_dir"] == "runs/compare/bi+heavy"
    assert not (folder / "runs").exists()


def test_rows_can_be_flags_over_shared_files(dry_run):
    found = dry_run(
        "-c", "base.yaml", "--row", "plain=", "--row", "more=-c heavy.yaml --data.root 'my data'", "--seeds=1"
    )
    assert [configs(words) for words in found] == [["base.yaml"], ["base.yaml", "heavy.yaml"]]
    assert dict(pairwise(found[1]))["--data.root"] == "my data"


def test_a_task_outside_the_mean_may_have_any_first_metric(dry_run):
    row = "a=--tasks.sst.metrics [macro_f1] --tasks.sst.in_mean false"
    assert len(dry_run("-c", "base.yaml", "--row", row, "--seeds", "2")) == 2


def test_what_follows_two_dashes_goes_to_every_row_and_above_it(dry_run):
    rows = ["--row", "a=-c base.yaml", "--row", "b=-c base.yaml", "--seeds", "1"]
    found = dry_run(*rows, "--train_limit", "new=9", "--", "-c", "one.yaml", "--tasks.new", "Sts")
    assert [configs(words) for words in found] == [["base.yaml", "one.yaml"]] * 2
    assert all(dict(pairwise(words))["--tasks.new"] == "Sts" for words in found)
    assert all("--tasks.new.train_limit=9" in words for words in found)
    assert main([*rows, "--train_limit", "sts=9", "--", "-c", "one.yaml"]) == 2  # its tasks replace those of the rows


def test_rows_are_compared_with_the_first_unless_they_say_otherwise(folder):
    def baselines(**options) -> dict[str, str | None]:
        rows = read_own_rows("rows.yaml", ["last=-c base.yaml"], shared=(), **options)
        return {row.name: row.against for row in rows}

    assert baselines(against=None) == {"plain": None, "bi": "plain", "bi+heavy": "bi", "last": "plain"}
    assert baselines(against="last") == {"plain": "last", "bi": "last", "bi+heavy": "bi", "last": None}
    (folder / "rows.yaml").write_text(
        "- {name: a, command: }\n- {name: b, command: -c base.yaml, compare_with: null}\n"
    )
    assert baselines(against=None) == {"a": None, "b": None, "last": "a"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("none.yaml", "rows none.yaml: no such file (relative paths start from the current folder)"),
        ("", "no rows (expected a file of rows, or --row NAME=COMMAND for each)"),
        ("base.yaml", "base.yaml: holds a dict (expected a list of rows such as - {name: plain, command: -c"),
        ("--row plain", "--row plain: expected NAME=COMMAND, such as --row plain='-c mine.yaml'"),
        (
            "--row 'a=-c none.yaml'",
            "--row a: -c none.yaml: no such file (relative paths start from the current folder)",
        ),
        ("-c none.yaml --row a=", "-c none.yaml: no such file"),
        (
            "rows.yaml --row 'bi=-c base.yaml'",
            "--row bi: the name bi appears twice, first in rows.yaml, row bi (expected a different name for each row)",
        ),
        (
            "rows.yaml --against none",
            "rows.yaml, row plain: is compared with none, which is no row (expected one of plain, bi, bi+heavy)",
        ),
        ("--row ../a=", "--row ../a: the name is '../a' (expected letters, digits and _.+-, as it becomes a folder)"),
        (
            "--row 'a=-c one.yaml' --row 'b=-c other.yaml'",
            "--row b: is scored on other tasks (sts) than a, which it is compared with (expected at least one of sst, ",
        ),
        ("--row 'a=-c heavy.yaml'", "--row a: has no tasks (expected tasks: in one of its -c files)"),
        (
            "--row 'a=-c one.yaml --tasks.sts.weight=2'",
            "--row a: --tasks.sts.weight=2: unknown task sts (expected one of sst)",
        ),
        ("--row 'a=-c one.yaml --tasks.sst.speed 3'", "--row a: tasks.sst: Sst has no speed (expected one of "),
        ("--dry_run --row 'a=-c one.yaml --data.batch_sze 3'", "a: no flag --data.batch_sze (did you mean --data."),
        ("--dry_run -c one.yaml --row a=--weight", "a: no flag --weight (did you mean --tasks.NAME.weight?)"),
        ("--dry_run -c one.yaml --row a=--data.root", "a: --data.root has no value (expected one after it)"),
        (
            "--dry_run -c base.yaml --row a= --row 'b=--model.regularizer RDrop --model.regularizer.tasks [nope]'",
            "b: RDrop: tasks has nope (expected names of tasks: sst, quora, sts)",
        ),
        (
            "--dry_run -c base.yaml --row a= --row 'b=--model.surgery PcGrad'",
            "b: PcGrad compares the tasks of an optimiser step, but each has one batch of one task (expected tasks ",
        ),
        (
            "-c base.yaml --data.root ROOT --row a= --row 'b=--data.schedule Staged --data.schedule.first nope'",
            "b: Staged: first is 'nope' (expected one of the tasks: sst, quora, sts)",
        ),
        (
            "--row 'a=-c base.yaml --tasks.sst.in_mean false' --row 'b=-c one.yaml'",
            "--row b: is scored on other tasks (sst) than a, which it is compared with (expected at least one of "
            "quora, sts, without in_mean: false)",
        ),
        ("--row 'a=-c one.yaml --tasks.sst.in_mean false'", "--row a: every task has in_mean: false (expected"),
        (
            "--row 'a=-c one.yaml' --row 'b=-c one.yaml --tasks.sst.metrics [macro_f1]'",
            "--row b: task sst is scored by macro_f1, in --row a by accuracy (expected the same metric)",
        ),
        (
            "--row 'a=-c one.yaml --tasks.sst.metrics [expected_calibration_error]'",
            "the first of metrics must be one where higher is better",
        ),
        ("--row 'a=python train.py predict -c one.yaml'", "(expected train.py fit)"),
        ("--row 'a=one.yaml'", "--row a: the command begins with one.yaml (expected -c FILE or another flag"),
        ("--row \"a=-c 'one.yaml\"", "--row a: the command cannot be read (No closing quotation): -c 'one.yaml"),
        ("--row 'a=-c one.yaml --seed_everything 3'", "--row a: --seed_everything: this command sets it itself"),
        ("--row 'a=-c one.yaml --trainer.limit_val_batches 2'", "--trainer.limit_val_batches 2: the tables are"),
        ("rows.yaml --train_limit nli=9", "--train_limit nli=9: no training has a task nli (expected one of sst"),
        (
            "--row 'a=-c one.yaml' --data.root ROOT --row 'b=-c one.yaml --tasks.sst.source.dev ids-sst-train.csv'",
            "--row b: is scored on other dev data of sst than a (expected the same file and rows)",
        ),
        (
            "--data.root ROOT --row 'a=-c one.yaml' --row 'b=-c one.yaml --data.dev_limit 5'",
            "--row b: is scored on other dev data of sst than a (expected the same file and rows)",
        ),
        ("--row 'a=-c one.yaml'", "--row a: ids-sst-dev.csv: no such file (the dev split; relative paths start from"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_sentence_before_anything_is_trained(
    arguments, message, folder, cs224n_root, capsys
):
    assert main(shlex.split(arguments.replace("ROOT", str(cs224n_root)))) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert message in said
    assert said.count("\n") == 1
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("[]", "rows.yaml: holds no rows (expected a list of rows such as"),
        ("- plain", "rows.yaml, row 1: holds 'plain' (expected a list of rows such as"),
        ("- {name: a}", "rows.yaml, row 1: lacks command (expected name, command and, if wanted, compare_with)"),
        ("- {name: a, command: x, against: b}", "rows.yaml, row 1: unknown key against (expected name, command and"),
        ("- {name: 1, command: -c one.yaml}", "rows.yaml, row 1: name is 1 (expected text; put it in quotes)"),
        ("- {name: a, command: -c base.yaml}\n" * 2, "rows.yaml, row a: the name a appears twice"),
        ("- {name: a, command: -c base.yaml, compare_with: a}", "rows.yaml, row a: is compared in a circle, a with a"),
        ("- {name: a, command: -c base.yaml", "rows.yaml, line 2: not YAML ("),
        ("- name: a\n  name: b", "rows.yaml, line 2"),
    ],
)
def test_a_file_of_rows_that_is_not_one_is_refused(rows, message, folder, capsys):
    (folder / "rows.yaml").write_text(rows)
    assert main(["rows.yaml"]) == 2
    assert message in capsys.readouterr().err


def test_the_table_is_made_from_what_is_there(folder, cs224n_root, capsys):
    for name, wrong in (("plain", 8), ("bi", 0), ("bi+heavy", 0)):
        if name != "bi":  # not finished: the row that names it is compared with the next one along the chain
            write_run(make_job(Path("runs/compare"), name), cs224n_root, almost_right(cs224n_root, wrong=wrong))
    assert main(["rows.yaml", "--table_only"]) == 0
    shown = capsys.readouterr().out
    assert "no finished run of bi in runs/compare" in shown
    assert "bi+heavy is better than plain (mean +0." in shown
    written = (folder / "runs/compare/results.md").read_text()
    assert "| row |  | sst | quora | sts | mean |" in written
    assert "| plain | last, 1 run | .3333 | 1.0000 |" in written
    assert "paper" not in written
    results = json.loads((folder / "runs/compare/results.json").read_text())
    assert [(row["row"], row["title"]) for row in results["rows"]] == [
        ("plain", "-c base.yaml"),
        ("bi+heavy", "-c base.yaml --config=heavy.yaml --tasks.sts.encoding=bi"),
    ]


def test_rows_may_be_trained_on_different_amounts_of_data_and_different_tasks(folder, cs224n_root, capsys):
    labels = {task: dev_labels(cs224n_root, task) for task in ("sst", "sts")}
    less = write_run(make_job(Path("runs/compare"), "less"), cs224n_root, labels)
    write_run(make_job(Path("runs/compare"), "alone"), cs224n_root, {"sst": labels["sst"]})
    report = json.loads((less / "report.json").read_text())
    report["data"]["sst"]["train"]["rows"] = 6
    (less / "report.json").write_text(json.dumps(report))
    rows = ["--row", "less=-c base.yaml --tasks.sst.train_limit 6", "--row", "alone=-c one.yaml", "--seeds", "1"]
    assert main([*rows, "--table_only"]) == 0
    shown = capsys.readouterr().out
    assert "Data, rows: sst (less train 6, dev 12, alone train 12, dev 12); sts (train 12, dev 12)." in shown
    assert "alone and less cannot be told apart (sst +0.0000" in shown
    report["data"]["sst"]["dev"]["rows"] = 6
    (less / "report.json").write_text(json.dumps(report))
    assert main([*rows, "--table_only"]) == 2
    assert "read different dev data of sst (expected the same file and rows)" in capsys.readouterr().err


@pytest.mark.slow
def test_real_rows_of_ones_own_are_trained_compared_and_not_trained_again(
    folder, cs224n_root, word_backbone, capfd, monkeypatch
):
    settings = {
        "tasks": {"sst": "Sst", "sts": "Sts"},
        "model": {"backbone": str(word_backbone)},
        "data": {"root": str(cs224n_root), "max_length": 32, "cache_dir": str(folder / "cache")},
        "trainer": {"accelerator": "cpu"},
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(settings))
    (folder / "rows.yaml").write_text(
        "- {name: plain, command: python train.py fit -c mine.yaml}\n"
        "- {name: bi, command: -c mine.yaml --tasks.sts.encoding bi}\n"
    )
    arguments = ["rows.yaml", "--seeds", "1", "--budget", "steps=2"]
    assert main(arguments) == 0
    shown = capfd.readouterr().out
    assert "plain, seed 1: done in" in shown
    assert "bi, seed 1: python " in shown
    results = json.loads((folder / "runs/compare/results.json").read_text())
    assert [row["row"] for row in results["rows"]] == ["plain", "bi"]
    assert [(entry["row"], entry["against"]) for entry in results["differences"]] == [("bi", "plain")]
    assert main(arguments) == 0
    assert "bi, seed 1: already finished" in capfd.readouterr().out
    assert main([*arguments[:-1], "steps=3"]) == 2
    assert "was run with different settings: --trainer.max_steps 2 before, --trainer.max_steps 3 now" in (
        capfd.readouterr().err
    )
