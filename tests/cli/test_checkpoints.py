"""Checkpoints by name."""

import os
import shutil
from pathlib import Path

import pytest
import torch
import yaml

from experiments.soup import main as soup
from inference import Predictor
from runtime.run_folders import find_checkpoint, find_in_run
from tests.cli.command_line import TASKS, best_checkpoint, read_report


def test_last_and_best_are_those_of_the_newest_run_that_has_one(tmp_path):
    for version, names in {2: ["last.ckpt"], 10: ["last.ckpt", "best-a.ckpt"], 11: []}.items():
        folder = tmp_path / f"version_{version}" / "checkpoints"
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).touch()
    assert find_checkpoint(tmp_path, "last") == tmp_path / "version_10" / "checkpoints" / "last.ckpt"
    assert find_checkpoint(tmp_path, "best") == tmp_path / "version_10" / "checkpoints" / "best-a.ckpt"
    newer = tmp_path / "version_10" / "checkpoints" / "best-b.ckpt"
    newer.touch()
    os.utime(newer, (2**31, 2**31))
    assert find_checkpoint(tmp_path, "best") == newer
    assert find_checkpoint(tmp_path / "none", "last") is None
    (tmp_path / "version_12_old").mkdir()
    assert find_checkpoint(tmp_path, "best") == newer


def test_a_saved_configuration_means_the_checkpoints_of_its_own_run(train, capsys):
    first, second = (train("fit", "--seed_everything", seed) for seed in (1, 2))
    for run_folder in (first, second):
        train.raw("validate", "-c", str(run_folder / "config.yaml"), "--ckpt_path", "best")
        own = read_report(run_folder)
        assert read_report(train.newest("cs224n", "validate"))["metrics"] == {
            name: pytest.approx(value, abs=1e-6) for name, value in own["metrics"].items()
        }
    assert read_report(first)["metrics"] != read_report(second)["metrics"]
    best_checkpoint(first).unlink()
    with pytest.raises(SystemExit):
        train.raw("validate", "-c", str(first / "config.yaml"), "--ckpt_path", "best")
    message = f"--ckpt_path best: {first}, whose config.yaml is given, has no such checkpoint"
    assert message in capsys.readouterr().err


def test_a_copied_run_is_evaluated_itself(train, caplog, tmp_path):
    first = train("fit", "--seed_everything", 1)
    shutil.copytree(first, tmp_path / "kept")
    train("fit", "--seed_everything", 2)
    train.raw("validate", "-c", str(tmp_path / "kept" / "config.yaml"), "--ckpt_path", "best")
    report = read_report(train.newest("cs224n", "validate"))
    assert report["metrics"]["sst"] == pytest.approx(read_report(first)["metrics"]["sst"], abs=1e-6)
    assert Path(report["checkpoint"]).parent == tmp_path / "kept" / "checkpoints"
    assert f"weights: {report['checkpoint']}" in caplog.text


def test_last_goes_on_where_the_newest_run_ended(train):
    train("fit")
    run_folder = train("fit", "--trainer.max_steps", 4, "--ckpt_path", "last")
    report = read_report(run_folder)
    assert report["steps"] == 4
    assert report["resumed_from"] == "runs/cs224n/version_0/checkpoints/last.ckpt"


def test_the_configuration_of_a_resumed_run_means_no_checkpoint(train, capsys, caplog):
    train("fit")
    resumed = train("fit", "--trainer.max_steps", 4, "--ckpt_path", "last")
    assert "resumes from runs/cs224n/version_0/checkpoints/last.ckpt, step 2" in caplog.text
    config = str(resumed / "config.yaml")
    with pytest.raises(SystemExit):
        train.raw("validate", "-c", config)
    assert "validate needs trained weights: --ckpt_path best, last, a run or a file" in capsys.readouterr().err
    train.raw("validate", "-c", config, "--ckpt_path", "last")
    validated = train.newest("cs224n", "validate")
    assert read_report(validated)["metrics"]["sst"] == pytest.approx(read_report(resumed)["metrics"]["sst"], abs=1e-6)
    used = yaml.safe_load((validated / "config.yaml").read_text())["ckpt_path"]
    assert Path(used) == resumed / "checkpoints" / "last.ckpt"
    train.raw("fit", "-c", config)
    assert read_report(train.newest("cs224n", "version"))["resumed_from"] is None


def test_a_run_stands_for_its_checkpoints(train, tmp_path, capsys):
    first, second = (train("fit", "--seed_everything", seed) for seed in (1, 2))
    validated = train("validate", "--ckpt_path", first)
    assert read_report(validated)["metrics"]["sst"] == pytest.approx(read_report(first)["metrics"]["sst"], abs=1e-6)
    best = best_checkpoint(first)
    assert (train.folder / yaml.safe_load((validated / "config.yaml").read_text())["ckpt_path"]).samefile(best)
    resumed = train("fit", "--seed_everything", 2, "--trainer.max_steps", 4, "--ckpt_path", second)
    assert Path(read_report(resumed)["resumed_from"]).samefile(second / "checkpoints" / "last.ckpt")
    for command, expected in (("fit", "checkpoints/last.ckpt of a run"), ("predict", "checkpoints/best….ckpt or last")):
        train.refuse(command, "--ckpt_path", tmp_path)
        assert f"--ckpt_path {tmp_path}: holds no checkpoint (expected {expected}" in capsys.readouterr().err


def test_each_task_keeps_its_best_weights_beside_those_of_the_score(train, capsys):
    weights = "{sst.accuracy: 0.5, sts.pearson: 0.5}"
    folder = train(
        "fit", "--best_checkpoint_per_task", "true", "--model.score", weights, "--best_checkpoint.monitor", "val/score"
    )
    names = sorted(path.name.split("=")[0] for path in (folder / "checkpoints").glob("best*"))
    assert names == ["best-epoch", "best-quora-epoch", "best-sst-epoch", "best-sts-epoch"]
    report = read_report(folder)
    metrics = report["metrics"]
    by_hand = 0.5 * metrics["sst"]["accuracy"] + 0.5 * metrics["sts"]["pearson"]
    assert metrics["score"] == pytest.approx(by_hand, abs=1e-6)
    assert Path(report["best_checkpoint"]).name == f"best-epoch=0-step=2-score={metrics['score']:.4f}.ckpt"
    assert {task: Path(path).name.split("-")[1] for task, path in report["best_checkpoints"].items()} == {
        task: task for task in TASKS
    }
    for which in ("best", "best-sst"):
        assert read_report(train("validate", "--ckpt_path", which))["metrics"]["sst"] == metrics["sst"]
    train.refuse("predict", "--ckpt_path", "best-nli")
    assert "best-nli" in capsys.readouterr().err


def test_best_is_never_that_of_one_task(tmp_path):
    checkpoints = tmp_path / "version_0" / "checkpoints"
    checkpoints.mkdir(parents=True)
    names = ["best-epoch=0.ckpt", "best-sst-epoch=1.ckpt", "best-sst2-epoch=1.ckpt", "best-sst-5-epoch=1.ckpt"]
    for number, name in enumerate(names):
        (checkpoints / name).touch()
        os.utime(checkpoints / name, (number, number))
    assert find_checkpoint(tmp_path, "best") == checkpoints / "best-epoch=0.ckpt"
    assert find_in_run(checkpoints.parent, "best-sst-5") == checkpoints / "best-sst-5-epoch=1.ckpt"
    assert find_checkpoint(tmp_path, "best-sst") == checkpoints / "best-sst-epoch=1.ckpt"
    assert find_checkpoint(tmp_path, "best-quora") is None


@pytest.mark.parametrize("which", ["last", "best"])
@pytest.mark.parametrize("subcommand", ["fit", "predict"])
def test_a_checkpoint_that_no_run_has_is_an_error(subcommand, which, train, capsys):
    train.refuse(subcommand, "--ckpt_path", which)
    assert f"error: --ckpt_path {which}: no run in runs/cs224n has such a checkpoint" in capsys.readouterr().err


def test_auto_starts_afresh_where_there_is_nothing_to_go_on_from(train):
    first, second = (read_report(train("fit", "--ckpt_path", "auto")) for _ in range(2))
    assert first["resumed_from"] is None
    assert second["resumed_from"] == "runs/cs224n/version_0/checkpoints/last.ckpt"


def test_a_missing_or_damaged_checkpoint_is_an_error(train, fitted, tmp_path, capsys):
    train.refuse("validate", "--ckpt_path", "none.ckpt")
    assert "none.ckpt: no such checkpoint (expected last" in capsys.readouterr().err
    (tmp_path / "cut.ckpt").write_bytes((fitted / "checkpoints" / "last.ckpt").read_bytes()[:1000])
    train.refuse("validate", "--ckpt_path", "cut.ckpt")
    assert "cut.ckpt: no readable checkpoint, cut off" in capsys.readouterr().err


def test_training_does_not_go_on_from_weights_alone(train, fitted, capsys):
    train.refuse("fit", "--ckpt_path", best_checkpoint(fitted))
    assert "holds weights only" in capsys.readouterr().err


def test_training_does_not_go_on_with_other_dropout(train, fitted, capsys):
    resumed = ("fit", "--ckpt_path", fitted / "checkpoints" / "last.ckpt", "--trainer.max_steps", 6)
    head = ("--tasks.sst.head", "LinearHead", "--tasks.sst.head.dropout")
    train.refuse(*resumed, *head, 0.5)
    assert "was given heads.sst.dropout: 0.5 (the checkpoint: 0.3)" in capsys.readouterr().err
    train(*resumed, *head, 0.3)  # what the head has by default
    train.refuse(*resumed, "--model.backbone_dropout", 0.2)
    assert "was given model.backbone_dropout: 0.2 (the checkpoint: null)" in capsys.readouterr().err


def test_dropout_of_the_backbone_changes_a_training_and_is_kept_in_its_checkpoints(train):
    run, plain = (train("fit", *flags) for flags in (["--model.backbone_dropout", "0.5"], []))
    digests = [read_report(folder)["weights_sha256"] for folder in (run, plain)]
    assert digests[0] != digests[1]
    kept = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["hyper_parameters"]
    assert kept["backbone_config"]["attention_probs_dropout_prob"] == 0.5
    model = Predictor.load(run).model
    assert model.backbone.bert.config.hidden_dropout_prob == 0.5


def test_training_does_not_go_on_with_a_frozen_backbone(train, fitted, capsys):
    resumed = ("fit", "--ckpt_path", fitted / "checkpoints" / "last.ckpt", "--trainer.max_steps", 6)
    train.refuse(*resumed, "--model.freeze_backbone", "true")
    assert "was given model.freeze_backbone: true (the checkpoint: false)" in capsys.readouterr().err


def test_a_checkpoint_of_other_tasks_is_an_error(train, fitted, tmp_path, capsys):
    (tmp_path / "fewer.yaml").write_text("tasks: {sst: Sst}\n")
    train.refuse("validate", "--ckpt_path", fitted / "checkpoints" / "last.ckpt", config=tmp_path / "fewer.yaml")
    assert "the checkpoint does not fit: heads." in capsys.readouterr().err


def test_a_run_is_evaluated_and_merged_under_another_weighting(train, fitted, tmp_path, capsys):
    """What weighs the losses predicts nothing; a training does not go on without it."""
    run = train("fit", "--model.weighting", "Uncertainty")
    last = run / "checkpoints" / "last.ckpt"
    scores = read_report(train("validate", "--ckpt_path", last))["metrics"]
    assert scores == read_report(train("validate", "--ckpt_path", last, "--model.weighting", "Uncertainty"))["metrics"]
    train.refuse("fit", "--ckpt_path", last)
    assert "(other weighting, surgery or regulariser?)" in capsys.readouterr().err
    assert soup([str(run), str(fitted), "--output", str(tmp_path / "soup")]) == 0
    assert Predictor.load(tmp_path / "soup").predict("sst", ["word"])
