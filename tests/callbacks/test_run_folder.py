from collections.abc import Callable
from pathlib import Path

import pytest
from lightning.pytorch.loggers import TensorBoardLogger

from callbacks.run_folder import removing_refused
from tasks import InputError
from tests.tiny import make_trainer


def refuse(folder: Path, leave: Callable[[TensorBoardLogger], object], error: type[Exception] = InputError) -> None:
    """Begin a run in `folder/version_0`, leave something there and end with an error."""
    logger = TensorBoardLogger(str(folder), name="", version=0, default_hp_metric=False)

    def end() -> None:
        logger.log_hyperparams({"lr": 0.1})
        logger.save()
        (folder / "version_0" / "config.yaml").touch()
        leave(logger)
        logger.finalize("failed")
        raise error("refused")

    with pytest.raises(error), removing_refused(make_trainer(folder, logger=logger)):
        end()


def leave(name: str) -> Callable[[TensorBoardLogger], None]:
    def write(logger: TensorBoardLogger) -> None:
        path = Path(logger.log_dir) / name
        path.parent.mkdir(exist_ok=True)
        path.touch()

    return write


def test_settings_alone_are_removed(tmp_path: Path):
    refuse(tmp_path, leave("hparams.yaml"))
    assert list(tmp_path.iterdir()) == []


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
    assert (tmp_path / "version_0" / "config.yaml").is_file()


def test_a_folder_that_was_there_before_stays(tmp_path: Path):
    (tmp_path / "version_0").mkdir()
    refuse(tmp_path, leave("hparams.yaml"))
    assert (tmp_path / "version_0").is_dir()


def test_what_another_error_leaves_stays(tmp_path: Path):
    refuse(tmp_path, leave("hparams.yaml"), error=RuntimeError)
    assert (tmp_path / "version_0").is_dir()
