import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from callbacks.run_folder import RunTrainer, claimed_run, run_folder
from tasks import InputError


def make_trainer(folder: Path, *, logger: Any = False, **settings: Any) -> RunTrainer:
    return RunTrainer(accelerator="cpu", default_root_dir=folder, logger=logger, **settings)


def refuse(folder: Path, leave: Callable[[TensorBoardLogger], object], error: type[Exception] = InputError) -> None:
    """Begin a run in `folder/runs/mine`, leave something there and end with an error."""
    logger = TensorBoardLogger(str(folder / "runs"), name="mine", default_hp_metric=False)

    def end() -> None:
        logger.log_hyperparams({"lr": 0.1})
        logger.save()
        (Path(logger.log_dir) / "config.yaml").touch()
        leave(logger)
        logger.finalize("failed")
        raise error("refused")

    with pytest.raises(error), claimed_run(make_trainer(folder, logger=logger), folder / "runs" / "mine", "version"):
        end()


def leave(name: str) -> Callable[[TensorBoardLogger], None]:
    def write(logger: TensorBoardLogger) -> None:
        path = Path(logger.log_dir) / name
        path.parent.mkdir(exist_ok=True)
        path.touch()

    return write


def test_settings_alone_are_removed_with_the_folders_made_for_them(tmp_path: Path):
    refuse(tmp_path, leave("hparams.yaml"))
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_that_was_there_before_stays(tmp_path: Path):
    (tmp_path / "runs").mkdir()
    refuse(tmp_path, leave("hparams.yaml"))
    assert list(tmp_path.iterdir()) == [tmp_path / "runs"]
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize(
    "left",
    [
        leave("checkpoints/last.ckpt"),
        leave("predictions/sst-dev.csv"),
        leave("report.json"),
        leave("nonfinite.json"),
        leave("events.out.tfevents.1.host.2.0"),
        lambda logger: logger.log_metrics({"train/sst/loss": 1.0}, step=1),
    ],
    ids=["checkpoint", "prediction", "report", "batch", "another's events", "curve"],
)
def test_anything_else_stays(left: Callable[[TensorBoardLogger], object], tmp_path: Path):
    refuse(tmp_path, left)
    assert (tmp_path / "runs" / "mine" / "version_0" / "config.yaml").is_file()


def test_a_folder_that_was_there_before_stays(tmp_path: Path):
    (tmp_path / "runs" / "mine" / "version_0").mkdir(parents=True)
    refuse(tmp_path, leave("hparams.yaml"))
    assert [path.name for path in (tmp_path / "runs" / "mine").iterdir()] == ["version_0"]


def test_what_another_error_leaves_stays(tmp_path: Path):
    refuse(tmp_path, leave("hparams.yaml"), error=RuntimeError)
    assert (tmp_path / "runs" / "mine" / "version_0").is_dir()


def test_checkpoints_and_all_loggers_of_files_share_the_folder(tmp_path: Path):
    loggers = [CSVLogger(tmp_path, name="mine"), TensorBoardLogger(tmp_path, name="mine", sub_dir="curves")]
    own, elsewhere = ModelCheckpoint(), ModelCheckpoint(dirpath=tmp_path / "elsewhere", monitor="val/mean")
    trainer = make_trainer(tmp_path, logger=loggers, callbacks=[own, elsewhere])
    with claimed_run(trainer, tmp_path / "mine", "predict"):
        run = tmp_path / "mine" / "predict_0"
        assert run_folder(trainer) == run
        assert [str(logger.log_dir) for logger in loggers] == [str(run), str(run / "curves")]
        assert own.dirpath == str(run / "checkpoints")
        assert elsewhere.dirpath == str(tmp_path / "elsewhere")


@pytest.mark.parametrize(("kind", "logs"), [("version", True), ("validate", True), ("test", True), ("predict", False)])
def test_a_prediction_has_no_log(kind: str, logs: bool, tmp_path: Path):
    trainer = make_trainer(tmp_path, logger=TensorBoardLogger(tmp_path, name="mine"))
    with claimed_run(trainer, tmp_path / "mine", kind):
        assert bool(trainer.loggers) == logs


def test_a_fast_run_claims_nothing(tmp_path: Path):
    trainer = make_trainer(tmp_path, fast_dev_run=True)
    with claimed_run(trainer, tmp_path / "mine", "version"):
        assert run_folder(trainer) is None
    assert list(tmp_path.iterdir()) == []


def test_a_version_that_is_taken_gives_the_next_and_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with claimed_run(make_trainer(tmp_path), tmp_path, "version", version=5):
        assert not [message for message in caplog.messages if "this one is" in message]
    with claimed_run(make_trainer(tmp_path), tmp_path, "version", version=5):
        assert f"{tmp_path} has a run 5 already; this one is version_6" in caplog.messages


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
@pytest.mark.parametrize("place", ["file", "dangling"])
def test_a_place_that_holds_no_runs_is_named(place: str, tmp_path: Path):
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "none")
    runs = tmp_path / place / "mine"
    message = f"{tmp_path / place}.*: .* \\(expected a place for runs that can be written\\)"
    with pytest.raises(InputError, match=message), claimed_run(make_trainer(tmp_path), runs, "version"):
        pass
