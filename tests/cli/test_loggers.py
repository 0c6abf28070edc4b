"""The run's folder is ours, whatever logs; and it belongs to one run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_line import CS224N, QUICK, CommandLine, best_checkpoint, contents, read_report

OWN = {"checkpoints", "config.yaml", "predictions", "report.json"}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if "tfevents" not in path.name}


def fit_twice_and_resume(train: CommandLine, *flags: object, end: Callable[[], object] = lambda: None) -> list[Path]:
    """Train twice, resume from `last` and predict with the best weights; return the folders of the trainings.

    Args:
        train: The command line.
        flags: Which loggers.
        end: What a logger does when its process ends.
    """
    first, _, second, _ = train("fit", *flags), end(), train("fit", *flags), end()
    before = contents(first), contents(second)
    third, _ = train("fit", *flags, "--ckpt_path", "last", "--trainer.max_steps", 4), end()
    assert [folder.name for folder in (first, second, third)] == ["version_0", "version_1", "version_2"]
    assert (contents(first), contents(second)) == before
    report = read_report(third)
    assert report["resumed_from"] == "runs/cs224n/version_1/checkpoints/last.ckpt"
    assert report["steps"] == 4
    assert best_checkpoint(second).is_file()
    predicted, _ = train("predict", *flags, "--ckpt_path", "best"), end()
    assert predicted.name == "predict_0"
    assert (predicted / "predictions" / "sst-dev.csv").is_file()
    return [first, second, third]


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    module = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    for place in ("CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"WANDB_{place}_DIR", str(tmp_path / "wandb-own"))
    return module


def test_without_a_logger_every_run_has_its_folder(train, capsys):
    for folder in fit_twice_and_resume(train, "--trainer.logger", "false"):
        assert names(folder) == OWN
    shown = capsys.readouterr().out
    assert "run folder: runs/cs224n/version_1" in shown
    assert "tensorboard" not in shown
    assert [path.name for path in train.folder.iterdir()] == ["runs"]


def test_csv_curves_lie_in_the_folder(train, capsys):
    for folder in fit_twice_and_resume(train, "--trainer.logger", "CSVLogger"):
        assert names(folder) == {*OWN, "metrics.csv"}
        assert "val/mean" in (folder / "metrics.csv").read_text().splitlines()[0]
    assert "tensorboard" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param(("--trainer.logger", "[CSVLogger, TensorBoardLogger]"), id="csv first"),
        pytest.param(("--trainer.logger+", "CSVLogger"), id="csv added", marks=pytest.mark.slow),
    ],
)
def test_two_loggers_share_the_folder(flags, train, capsys, recwarn):
    if flags[0].endswith("+"):
        flags = (flags[0], "{class_path: CSVLogger, init_args: {save_dir: runs}}")
    for folder in fit_twice_and_resume(train, *flags):
        assert names(folder) == {*OWN, "hparams.yaml", "metrics.csv"}
        assert len(list(folder.glob("events.out.tfevents.*"))) == 1
    assert "tensorboard --logdir runs/cs224n\n" in capsys.readouterr().out
    assert [path.name for path in (train.folder / "runs").iterdir()] == ["cs224n"]
    assert not [str(warning.message) for warning in recwarn if "not empty" in str(warning.message)]


def test_weights_and_biases_leaves_the_folder_ours(train, wandb, capsys):
    for folder in fit_twice_and_resume(train, "--trainer.logger", "WandbLogger", end=wandb.finish):
        assert names(folder) == OWN
    assert "tensorboard" not in capsys.readouterr().out
    assert [path.name for path in (train.folder / "runs").iterdir()] == ["cs224n"]
    assert len(list((train.folder / "wandb").glob("offline-run-*"))) == 4


@pytest.mark.slow
def test_weights_and_biases_beside_tensorboard(train, wandb):
    loggers = "[WandbLogger, {class_path: TensorBoardLogger, init_args: {save_dir: runs}}]"
    for folder in fit_twice_and_resume(train, "--trainer.logger", loggers, end=wandb.finish):
        assert len(list(folder.glob("events.out.tfevents.*"))) == 1


def test_mlflow_leaves_the_folder_ours(train, monkeypatch, capsys):
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # MLflow 3 wants a database otherwise
    for folder in fit_twice_and_resume(train, "--trainer.logger", "MLFlowLogger"):
        assert names(folder) == OWN
    assert "tensorboard" not in capsys.readouterr().out
    assert [path.name for path in (train.folder / "runs").iterdir()] == ["cs224n"]
    assert len(list((train.folder / "mlruns").glob("*/*/metrics/val/mean"))) == 3


@pytest.mark.parametrize("word", ["true", "null"])
def test_the_logger_of_a_bare_true_is_the_default_one(word, train):
    folder = train("fit", "--trainer.logger", word)
    assert folder == train.folder / "runs" / "cs224n" / "version_0"
    assert len(list(folder.glob("events.out.tfevents.*"))) == 1


def test_a_profile_lies_in_the_folder_too(train):
    profile = {"class_path": "SimpleProfiler", "init_args": {"filename": "profile"}}
    folder = train("fit", "--trainer.logger", "false", "--trainer.profiler", json.dumps(profile))
    assert "fit-profile.txt" in names(folder)


def test_a_checkpoint_callback_of_the_user_writes_there_too(train):
    own = {"class_path": "ModelCheckpoint", "init_args": {"filename": "own", "every_n_epochs": 1}}
    callbacks = json.dumps([own])
    folder = train("fit", "--trainer.logger", "false", "--trainer.callbacks", callbacks)
    assert names(folder / "checkpoints") == {"own.ckpt", "last.ckpt", best_checkpoint(folder).name}


def test_a_home_or_a_variable_in_the_place_of_runs_is_filled_in(train, monkeypatch, tmp_path):
    monkeypatch.setenv("PLACE", str(tmp_path / "place"))
    flags = ("--trainer.logger", "CSVLogger", "--trainer.logger.save_dir", "$PLACE", "--trainer.logger.name", "mine")
    for number in range(2):
        train.raw("fit", "-c", str(CS224N), *train.tiny, *QUICK, *flags, "--ckpt_path", "auto")
        assert (tmp_path / "place" / "mine" / f"version_{number}" / "metrics.csv").is_file()
    assert read_report(tmp_path / "place" / "mine" / "version_1")["resumed_from"]


def test_an_equal_version_takes_the_next_number(train, caplog):
    for number in (5, 6):
        assert train("fit", "--trainer.logger.version", 5).name == f"version_{number}"
    assert "runs/cs224n has a run 5 already; this one is version_6" in caplog.messages
    saved = train.folder / "runs" / "cs224n" / "version_6" / "config.yaml"
    for number in (5, 6):
        train.raw("predict", "-c", str(saved), "--ckpt_path", "last")
        assert train.newest("cs224n", "predict").name == f"predict_{number}"


def test_a_number_that_a_prediction_saved_means_the_same_configuration(train):
    train("fit")
    predicted = train("predict", "--ckpt_path", "last")
    assert {path.name for path in predicted.iterdir()} == {"config.yaml", "predictions"}
    train.raw("predict", "-c", str(predicted / "config.yaml"))
    assert train.newest("cs224n", "predict").name == "predict_1"


@pytest.mark.parametrize("flags", [(), ("--trainer.logger", "false"), ("--trainer.logger.version", 5)])
def test_a_refused_first_run_leaves_nothing(flags, train):
    train.refuse("fit", "--model.surgery", "PcGrad", *flags)
    assert list(train.folder.iterdir()) == []


def test_a_folder_for_runs_that_is_a_file_is_named(train, capsys):
    (train.folder / "runs").write_text("mine")
    train.refuse("fit")
    assert "error: runs/cs224n: Not a directory (expected a place for runs that can be written)" in (
        capsys.readouterr().err
    )
    assert (train.folder / "runs").read_text() == "mine"
