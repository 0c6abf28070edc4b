import argparse
import json
import shlex
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from experiments.options import add_options, read_options, split_arguments
from experiments.reproduce import main
from experiments.rows import METHODS, read_rows
from tests.experiments.run_folders import almost_right, dev_labels, make_job, write_run


@pytest.fixture
def dry_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[list[str]]]:
    """Return the commands that arguments lead to, as words."""

    def commands(*arguments: str) -> list[list[str]]:
        capsys.readouterr()
        own, *extra = " ".join(arguments).split(" -- ")
        words = [
            *own.split(),
            "--dry_run",
            "--output",
            str(tmp_path / "out"),
            *(["--", *extra[0].split()] if extra else []),
        ]
        assert main(words) == 0
        return [shlex.split(line) for line in capsys.readouterr().out.splitlines()]

    return commands


def value(words: list[str], flag: str) -> str:
    """Return the last value of a flag: the one that counts."""
    return words[len(words) - words[::-1].index(flag)]


def configs(words: list[str]) -> list[str]:
    return [Path(word).name for flag, word in pairwise(words) if flag == "-c"]


def test_each_row_and_seed_is_a_command(dry_run, tmp_path):
    found = dry_run("--rows b1 even --seeds 2 --data.root DIR")
    assert [(configs(words)[-1], value(words, "--seed_everything")) for words in found] == [
        *[("b1.yaml", "1"), ("b1.yaml", "2"), ("even.yaml", "1"), ("even.yaml", "2")]
    ]
    assert configs(found[2]) == ["recipe.yaml", "b2.yaml", "even.yaml"]
    assert value(found[3], "--trainer.logger.save_dir") == str(tmp_path / "out" / "even")
    assert value(found[3], "--trainer.logger.name") == "seed-2"
    assert value(found[0], "--data.root") == "DIR"
    assert not (tmp_path / "out").exists()


def test_limits_go_to_the_rows_that_have_the_task(dry_run):
    multitask, single = dry_run("--rows b1 sts-only --seeds 1 --train_limit quora=60 sts=50")
    assert {"--tasks.quora.train_limit=60", "--tasks.sts.train_limit=50"} <= set(multitask)
    assert [word for word in single if "train_limit" in word] == ["--tasks.sts.train_limit=50"]


def test_a_budget_replaces_the_epochs(dry_run):
    (words,) = dry_run("--rows b1 --seeds 1 --budget steps=40")
    assert value(words, "--trainer.max_steps") == "40"
    assert value(words, "--trainer.max_epochs") == "-1"


def test_the_recipe_lies_below_the_row_and_further_files_above(dry_run, tmp_path):
    (tmp_path / "mine.yaml").write_text("data: {batch_size: 64}\n")
    recipe = "configs/paper/scaled-down.yaml"
    (words,) = dry_run(f"--rows b2 --seeds 1 --recipe {recipe} -- -c {tmp_path / 'mine.yaml'} --trainer.max_epochs 2")
    assert configs(words) == ["recipe.yaml", "scaled-down.yaml", "b2.yaml", "mine.yaml"]
    assert value(words, "--trainer.max_epochs") == "2"


def test_a_pretrained_backbone_goes_to_the_rows_that_need_one(dry_run, tiny_backbone):
    plain, pretrained = dry_run(f"--rows even pretrained --seeds 1 --backbone small --pretrained {tiny_backbone}")
    assert value(plain, "--model.backbone") == "small"
    assert value(pretrained, "--model.backbone") == str(tiny_backbone)


def test_a_dry_run_may_be_from_before_the_pretraining(dry_run):
    (words,) = dry_run("--rows pretrained --seeds 1 --pretrained runs/none")
    assert value(words, "--model.backbone") == "runs/none"


def test_a_file_that_limits_the_validation_is_refused_too(tmp_path, capsys):
    (tmp_path / "mine.yaml").write_text("trainer: {limit_val_batches: 2}\n")
    assert main(["--rows", "b1", "--output", str(tmp_path / "out"), "--", "-c", str(tmp_path / "mine.yaml")]) == 2
    assert "error: --trainer.limit_val_batches 2: the tables are over all" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_limits_nothing_is_no_part(dry_run):
    assert dry_run("--rows b1 --seeds 1 -- --trainer.limit_val_batches 1.0 --trainer.fast_dev_run false")


@pytest.mark.parametrize(
    ("flags", "files"),
    [
        (["--backbone", "DIR"], ["model.safetensors"]),
        (["--", "--model.backbone=DIR"], ["model.safetensors"]),
        (["--backbone", "bert-base-uncased"], []),
        ([], []),
    ],
)
def test_the_weights_of_a_backbone_in_a_folder_are_settings(flags, files, tmp_path, tiny_backbone, monkeypatch):
    monkeypatch.chdir(tiny_backbone)
    own, extra = split_arguments([flag.replace("DIR", str(tiny_backbone)) for flag in flags])
    parser = argparse.ArgumentParser()
    add_options(parser, output=str(tmp_path))
    job = read_options(parser.parse_args(own), extra).job("b1", 1, [], tasks=["sst"])
    assert [entry.split()[0] for entry in job.settings()["weights"]] == files


def test_rows_of_another_folder_lie_over_its_own_recipe(dry_run, tmp_path):
    (tmp_path / "mine.yaml").write_text("data: {batch_size: 64}\n")
    method = f"--folder configs/methods --rows pcgrad --seeds 1 --recipe {tmp_path / 'mine.yaml'} --train_limit sts=9"
    (words,) = dry_run(method)
    assert configs(words) == ["recipe.yaml", "mine.yaml", "joint.yaml", "pcgrad.yaml"]
    assert "--tasks.sts.train_limit=9" in words
    assert len(dry_run("--folder configs/methods --rows all --seeds 2")) == 2 * len(read_rows(METHODS))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--folder none --rows b1", "none: no rows (expected a folder of .yaml files"),
        (
            "--folder configs/methods --rows b1",
            "--rows b1: no such row (expected all, or some of plain, absolute-error",
        ),
        ("--rows b9", "--rows b9: no such row"),
        ("--rows b1 --seeds 0", "--seeds 0: expected 1 or more"),
        ("--rows b1 --budget 12", "--budget 12: expected steps=N"),
        (
            "--rows b1 --train_limit qora=60",
            "--train_limit qora=60: no training has a task qora (expected one of sst, quora, sts)",
        ),
        *[
            (f"--rows b1 -- {flag}", f"-- {flag.split('=')[0].split()[0]}: this command sets it itself")
            for flag in ("--seed_everything 3", "--ckpt_path=last", "--trainer.logger false", "--trainer.logger.name=a")
        ],
        *[
            (f"--rows b1 --dry_run -- {flag}", f"error: {flag.replace('=', ' ')}: the tables are over all dev examples")
            for flag in (
                *("--trainer.limit_val_batches 2", "--trainer.limit_val_batches=0.5", "--trainer.limit_val_batches 1"),
                *("--trainer.limit_test_batches 2", "--trainer.fast_dev_run True"),
            )
        ],
        ("--rows b1 -- --config=none.yaml", "--config none.yaml: no such file"),
        ("--rows b1 --recipe none.yaml", "--recipe none.yaml: no such file"),
        ("--rows b1 -- -c none.yaml", "-c none.yaml: no such file"),
        (
            "--rows cross --data.root DIR",
            "give its folder with --pretrained (row cross starts from a further pre-trained backbone); this makes one:",
        ),
        ("--rows cross --pretrained mine", "error: --pretrained mine: no such folder (row cross starts from"),
        (
            "--rows cross --backbone small --data.root DIR --pretrained mine",
            "this makes one: python pretrain.py fit -c configs/pretrain.yaml --model.backbone small --data.root DIR "
            "--export_dir mine",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(arguments, message, capsys):
    assert main([*arguments.split()]) == 2
    assert message in capsys.readouterr().err


def test_a_limit_needs_a_number(capsys):
    with pytest.raises(SystemExit):
        main(["--rows", "b1", "--train_limit", "quora"])
    assert "--train_limit is quora (expected TASK=N with a whole number above 0)" in capsys.readouterr().err


def test_rows_with_different_first_metrics_of_a_task_are_refused_before_any_training(tmp_path, capsys):
    for name, tasks in (("a", "{sst: Sst}"), ("b", "{sst: {class_path: Sst, init_args: {metrics: [macro_f1]}}}")):
        path = tmp_path / f"{name}.yaml"
        path.write_text(f"# python train.py fit -c {path}\n# Method: row {name}\ntasks: {tasks}\n")
    folder = ["--folder", str(tmp_path), "--dry_run", "--output", str(tmp_path / "out")]
    flags = ["--backbone", "bert-base-uncased"]
    assert main([*folder, "--rows", "a", "b", *flags]) == 2
    said = f"{tmp_path}/b.yaml: task sst is scored by macro_f1, in {tmp_path}/a.yaml by accuracy (expected the same"
    assert said in capsys.readouterr().err
    assert main([*folder, "--rows", "b", *flags]) == 0
    agreeing = ["--", "--tasks.sst.metrics=[accuracy]"]
    assert main([*folder, "--rows", "a", "b", *flags, *agreeing]) == 0


def test_the_table_is_made_from_what_is_there(tmp_path, cs224n_root, capsys):
    curve = [{"sst": 0.3, "quora": 0.8, "sts": 0.5, "mean": 0.5333}]
    for name, wrong in (("b1", 8), ("even", 0)):
        for seed in (1, 2):
            predictions = almost_right(cs224n_root, wrong=wrong)
            write_run(make_job(tmp_path, name, seed), cs224n_root, predictions, seed=seed, curve=curve)
    assert main(["--rows", "b1", "b2", "even", "cross", "--table_only", "--output", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "no finished run of b2, cross" in shown
    assert "Data, rows: sst (train 12, dev 12); quora (train 12, dev 12); sts (train 12, dev 12)." in shown
    assert "even is better than b1 (mean +0." in shown
    results = json.loads((tmp_path / "results.json").read_text())
    b1, even = results["rows"]
    assert b1["last"]["sst"] == pytest.approx([4 / 12, 4 / 12])
    assert b1["paper"] == {"sst": 0.4913, "quora": 0.7477, "sts": 0.4456, "mean": 0.5615}
    assert even["best"]["mean"] == pytest.approx([0.5333, 0.5333])
    (difference,) = results["differences"]
    assert (difference["row"], difference["against"], difference["verdict"]) == ("even", "b1", "helped")
    written = (tmp_path / "results.md").read_text()
    assert "| b1 | paper, table 1 | .4913 | .7477 | .4456 | .5615 |" in written
    assert "|  | ours, 2 runs | .3333 ± .0000 | 1.0000 ± .0000 |" in written


def test_the_table_of_methods_has_no_lines_for_the_paper(tmp_path, cs224n_root):
    curve = [{"sst": 0.3, "quora": 0.8, "sts": 0.5, "mean": 0.5333}]
    for name, wrong in (("plain", 8), ("joint", 8), ("pcgrad", 0)):
        predictions = almost_right(cs224n_root, wrong=wrong)
        write_run(make_job(tmp_path, name), cs224n_root, predictions, curve=curve)
    folder = ["--folder", "configs/methods", "--rows", "all", "--table_only", "--output", str(tmp_path)]
    assert main(folder) == 0
    written = (tmp_path / "results.md").read_text()
    assert "| row |  | sst | quora | sts | mean |" in written
    assert "| plain | last, 1 run | .3333 | 1.0000 |" in written
    assert "|  | best, 1 run | .3000 | .8000 | .5000 | .5333 |" in written
    assert "paper" not in written
    results = json.loads((tmp_path / "results.json").read_text())
    assert [(row["row"], row["table"], row["paper"]) for row in results["rows"]] == [
        *[("plain", None, {}), ("joint", None, {}), ("pcgrad", None, {})]
    ]
    verdicts = [(row["row"], row["against"], row["verdict"]) for row in results["differences"]]
    assert verdicts == [("joint", "plain", "cannot be told apart"), ("pcgrad", "joint", "helped")]


def test_without_any_run_there_is_no_table(tmp_path, capsys):
    assert main(["--rows", "b1", "--table_only", "--output", str(tmp_path)]) == 1
    assert "no finished run of b1" in capsys.readouterr().out


def test_undefined_scores_are_null_in_json(tmp_path, cs224n_root):
    labels = {"sts": dev_labels(cs224n_root, "sts")}
    metrics = {"sts": {"pearson": None}, "mean": None}
    write_run(make_job(tmp_path, "sts-only"), cs224n_root, labels, metrics=metrics)
    assert main(["--rows", "sts-only", "--table_only", "--output", str(tmp_path)]) == 0
    (row,) = json.loads((tmp_path / "results.json").read_text())["rows"]
    assert row["last"] == {"sts": [None], "mean": [None]}


def test_a_constant_prediction_is_undefined_and_leaves_valid_json(tmp_path, cs224n_root, capsys):
    constant = {**almost_right(cs224n_root, wrong=0), "sts": np.full(12, 2.4731)}
    for name, predictions in (("b1", almost_right(cs224n_root, wrong=2)), ("even", constant)):
        write_run(make_job(tmp_path, name), cs224n_root, predictions)
    assert main(["--rows", "b1", "even", "--table_only", "--output", str(tmp_path)]) == 0
    assert "even against b1: undefined, as all predictions of a run or all labels" in capsys.readouterr().out
    results = json.loads((tmp_path / "results.json").read_text(), parse_constant=pytest.fail)
    assert results["differences"][0]["intervals"]["sts"] == {"estimate": None, "low": None, "high": None}


@pytest.mark.slow
def test_real_rows_are_trained_and_compared(tmp_path, cs224n_root, word_backbone, capfd):
    arguments = ["--rows", "b1", "even", "--seeds", "1", "--jobs", "2", "--output", str(tmp_path / "out")]
    arguments += ["--data.root", str(cs224n_root), "--backbone", str(word_backbone), "--budget", "steps=3", "--"]
    arguments += [
        "--data.max_length",
        "32",
        "--data.cache_dir",
        str(tmp_path / "cache"),
        "--trainer.accelerator",
        "cpu",
    ]
    assert main(arguments) == 0
    assert "train one task after the other, and a budget cuts off the later tasks" in capfd.readouterr().out
    assert main(arguments) == 0
    shown = capfd.readouterr().out
    assert "b1, seed 1: already finished" in shown
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [row["row"] for row in results["rows"]] == ["b1", "even"]
    assert main([*arguments, "--trainer.max_steps", "4"]) == 2
