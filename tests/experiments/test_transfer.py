import argparse
import json
import shlex
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from experiments.options import JobOptions, add_options, read_options
from experiments.task_sets import choose_sets
from experiments.transfer import main
from experiments.transferring import build_jobs, check_sets, lay_sets
from tasks import InputError
from tests.experiments.run_folders import dev_labels, make_job, write_run

TASKS = """\
tasks:
  sst: Sst
  quora: &pair {class_path: Quora, init_args: {encoding: bi}}
  sts: {class_path: Sts, init_args: {encoding: bi}}
data: {batch_size: 16}
model: {backbone: bert-base-uncased}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "three.yaml"
    path.write_text(TASKS)
    return path


def make_options(output: Path, *extra: str) -> JobOptions:
    parser = argparse.ArgumentParser()
    add_options(parser, output=str(output))
    return read_options(parser.parse_args(["--seeds", "1"]), extra)


def test_each_task_each_pair_and_all_are_trained_once():
    assert choose_sets(("a", "b", "c"), ["singles", "pairs", "all"]) == [
        *[("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c"), ("a", "b", "c")]
    ]
    assert choose_sets(("a", "b"), ["pairs", "all"]) == [("a", "b")]


def test_a_set_is_the_configuration_with_fewer_tasks(tmp_path, config, capsys):
    output = tmp_path / "out"
    arguments = ["-c", str(config), "--dry_run", "--output", str(output), "--seeds", "1", "--budget", "steps=10"]
    assert main([*arguments, "--train_limit", "sts=50"]) == 0
    commands = [shlex.split(line) for line in capsys.readouterr().out.splitlines()]
    files = [[Path(word).name for flag, word in pairwise(words) if flag == "-c"] for words in commands]
    names = ["sst", "quora", "sts", "sst+quora", "sst+sts", "quora+sts", "sst+quora+sts"]
    assert files == [["three.yaml", f"{name}.yaml"] for name in names]
    assert all(dict(pairwise(words))["--trainer.max_steps"] == "10" for words in commands)
    assert ["--tasks.sts.train_limit=50" in words for words in commands] == ["sts" in name for name in names]
    assert not output.exists()


def test_a_part_of_the_examples_is_refused_before_anything_is_written(tmp_path, config, capsys):
    assert main(["-c", str(config), "--output", str(tmp_path / "out"), "--", "--trainer.limit_val_batches", "2"]) == 2
    said = "error: --trainer.limit_val_batches 2: the tables are over all dev examples (expected 1.0)\n"
    assert capsys.readouterr().err == said
    assert not (tmp_path / "out").exists()


def test_the_file_of_a_set_is_not_replaced_beside_its_runs(tmp_path):
    tasks = yaml.safe_load(TASKS)["tasks"]
    sets = [("quora", "sts"), ("sst",)]
    jobs = build_jobs(tasks, [], sets, make_options(tmp_path))
    files = lay_sets(tasks, sets, jobs)
    pair = tmp_path / "sets" / "quora+sts.yaml"
    assert yaml.safe_load(files[pair]) == {"tasks": {task: tasks[task] for task in ("quora", "sts")}}
    pair.parent.mkdir()
    pair.write_text(files[pair])
    others = lay_sets({**tasks, "sts": "Sts"}, sets, jobs)
    checkpoint = jobs["quora+sts"][0].folder / "version_0" / "checkpoints" / "last.ckpt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    check_sets(files, jobs)
    with pytest.raises(InputError, match=r"quora\+sts\.yaml: has different tasks, and runs that used it exist"):
        check_sets(others, jobs)
    (tmp_path / "others.yaml").write_text(TASKS.replace("weight: 2", "weight: 3").replace("encoding: bi", "swap: true"))
    before, single = pair.read_text(), tmp_path / "sets" / "sst.yaml"
    single.write_text(files[single])
    arguments = ["-c", str(tmp_path / "others.yaml"), "--output", str(tmp_path), "--seeds", "1"]
    assert main([*arguments, "--train_limit", "sts=50"]) == 2
    assert (pair.read_text(), single.read_text()) == (before, files[single])
    checkpoint.unlink()
    check_sets(others, jobs)


def test_the_file_of_a_set_lies_over_the_users_own(tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text(TASKS)
    options = make_options(tmp_path, "-c", str(mine))
    (job,) = build_jobs(yaml.safe_load(TASKS)["tasks"], [], [("sst",)], options)["sst"]
    assert [path.name for path in job.configs] == ["mine.yaml", "sst.yaml"]


def test_a_limit_on_a_task_that_there_is_not_is_refused(config, tmp_path, capsys):
    assert main(["-c", str(config), "--dry_run", "--output", str(tmp_path), "--train_limit", "ssst=5"]) == 2
    message = "--train_limit ssst=5: no training has a task ssst (expected one of sst, quora, sts)"
    assert message in capsys.readouterr().err


def test_flags_of_a_task_go_to_the_sets_that_have_it(tmp_path, config, capsys):
    arguments = ["-c", str(config), "--dry_run", "--output", str(tmp_path / "out"), "--seeds", "1"]
    assert main([*arguments, "--", "--tasks.sst.weight", "2", "--data.batch_size", "4"]) == 0
    commands = [shlex.split(line) for line in capsys.readouterr().out.splitlines()]
    assert len(commands) == 7
    assert ["--tasks.sst.weight" in words for words in commands] == [True, False, False, True, True, False, True]
    assert all(("2" in words) == ("--tasks.sst.weight" in words) for words in commands)
    assert all(dict(pairwise(words))["--data.batch_size"] == "4" for words in commands)
    assert main([*arguments, "--", "--tasks.ssst.weight=2"]) == 2
    assert "unknown task ssst (expected one of sst, quora, sts)" in capsys.readouterr().err


def test_a_configuration_with_one_task_is_refused(tmp_path, capsys):
    (tmp_path / "one.yaml").write_text("tasks: {sst: Sst}\n")
    assert main(["-c", str(tmp_path / "one.yaml"), "--dry_run"]) == 2
    assert "one.yaml: has 1 task (expected at least two, to train alone and together)" in capsys.readouterr().err


def test_the_matrix_says_what_each_task_gains(tmp_path, cs224n_root, config, capsys):
    sst, sts = (dev_labels(cs224n_root, task) for task in ("sst", "sts"))
    wrong = (sst + 1) % 5
    for name, predictions in (("sst", {"sst": wrong}), ("sts", {"sts": sts}), ("sst+sts", {"sst": sst, "sts": sts})):
        write_run(make_job(tmp_path, name), cs224n_root, predictions)
    assert main(["-c", str(config), "--table_only", "--seeds", "1", "--output", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "sst trained with sts: sst+sts is better than sst (sst +1.0000" in shown
    assert "sts trained with sst: sst+sts and sts cannot be told apart (sts +0.0000" in shown
    assert "Every set was trained for whole epochs" in shown
    found = json.loads((tmp_path / "results.json").read_text())["transfer"]
    assert [(entry["trained on"], entry["target"], entry["verdict"]) for entry in found] == [
        ("sst+sts", "sst", "helped"),
        ("sst+sts", "sts", "cannot be told apart"),
    ]


@pytest.mark.slow
def test_real_sets_are_trained_and_compared(tmp_path, cs224n_root, word_backbone):
    config = tmp_path / "two.yaml"
    config.write_text("tasks: {sst: Sst, sts: Sts}\n")
    arguments = ["-c", str(config), "--sets", "singles", "all", "--seeds", "1", "--output", str(tmp_path / "out")]
    arguments += ["--data.root", str(cs224n_root), "--backbone", str(word_backbone), "--budget", "steps=2", "--"]
    arguments += [
        "--data.max_length",
        "32",
        "--data.cache_dir",
        str(tmp_path / "cache"),
        "--trainer.accelerator",
        "cpu",
    ]
    assert main(arguments) == 0
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert list(found["scores"]) == ["sst", "sts", "sst+sts"]
    assert [entry["target"] for entry in found["transfer"]] == ["sst", "sts"]


def test_a_limit_in_time_is_said_to_be_one_beside_the_epochs(tmp_path, cs224n_root, config, capsys):
    sst = dev_labels(cs224n_root, "sst")
    for name in ("sst", "sst+sts"):
        folder = write_run(make_job(tmp_path, name), cs224n_root, {"sst": sst})
        settings = yaml.safe_load((folder / "config.yaml").read_text())
        settings["trainer"]["max_time"] = "00:00:30:00"
        (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    assert main(["-c", str(config), "--table_only", "--seeds", "1", "--output", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "Training length: at most 2 epochs and 00:00:30:00 (days:hours:minutes:seconds)" in shown
    assert "and at most the same time" in shown
