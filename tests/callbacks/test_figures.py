from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from backbones.digest import digest_weights
from callbacks import PredictionWriter, ValidationFigures
from tasks import InputError
from tests.runs import Project
from tests.tiny import build_module, make_trainer, open_data

TAGS = {
    "val/sst/confusion",
    "val/sst/calibration",
    "val/quora/confusion",
    "val/quora/calibration",
    "val/sts/similarity",
}


def images(folder: Path) -> dict[str, list[int]]:
    """Return the steps of each image tag."""
    events = EventAccumulator(str(folder), size_guidance={"images": 0}).Reload()
    return {tag: [image.step for image in events.Images(tag)] for tag in events.Tags()["images"]}


@pytest.fixture
def fit(tiny_backbone: Path, cs224n_root: Path, tmp_path: Path) -> Callable[..., tuple[Path, str]]:
    """Train for two epochs with figures; gives the logger's folder and the digest of the weights."""

    def train(every: int | None, *, epochs: int = 2, logger: type[Any] = TensorBoardLogger) -> tuple[Path, str]:
        board = logger(save_dir=str(tmp_path), name="logs", version=f"{every}")
        callbacks = [PredictionWriter(), *([] if every is None else [ValidationFigures(every)])]
        trainer = make_trainer(tmp_path, *callbacks, max_epochs=epochs, logger=board, log_every_n_steps=3)
        L.seed_everything(0, verbose=False)
        module = build_module(tiny_backbone)
        trainer.fit(module, datamodule=open_data(tiny_backbone, cs224n_root, tmp_path / "cache"))
        return Path(board.log_dir), digest_weights(module)

    return train


def test_each_validation_draws_on_the_step_of_its_scores(fit):
    folder, _ = fit(1)
    found = images(folder)
    assert found.keys() == TAGS
    scores = EventAccumulator(str(folder)).Reload().Scalars("val/mean")
    assert found["val/sst/confusion"] == [point.step for point in scores] == [8, 17]


def test_figures_do_not_change_the_weights(fit):
    (_, with_figures), (_, without), (none, switched_off) = fit(1), fit(None), fit(0)
    assert with_figures == without == switched_off
    assert images(none) == {}


def test_every_second_validation_draws_if_asked(fit):
    assert images(fit(2, epochs=3)[0])["val/sts/similarity"] == [17]


def test_without_tensorboard_nothing_is_drawn(fit):
    assert fit(1, logger=CSVLogger)[0].is_dir()


def test_the_count_goes_on_after_a_resume():
    first, second = ValidationFigures(3), ValidationFigures(3)
    first._validations = 2
    second.load_state_dict(first.state_dict())
    assert second._validations == 2


def test_a_negative_interval_is_refused():
    with pytest.raises(InputError, match=r"figures.every_n_validations is -1 \(expected 0 or more\)"):
        ValidationFigures(-1)


@pytest.mark.slow
def test_a_resumed_run_draws_and_counts_what_the_whole_one_does(
    whole_run: Callable[..., Project], tiny_project: Callable[..., Project]
) -> None:
    changes: dict[str, Any] = {"figures.every_n_validations": 2, "trainer.val_check_interval": 3}
    whole, project = whole_run(**changes), tiny_project(**changes)
    project.kill("train_batch_end:13")

    assert project.run("--ckpt_path", "last").code == 0

    start = project.resumed_step(1)
    assert start == 12
    expected = {tag: [step for step in steps if step >= start] for tag, steps in images(whole.version(0)).items()}
    assert images(project.version(1)) == expected
    assert expected.keys() == TAGS
    assert project.report(1)["drawn"] == whole.report(0)["drawn"]
    assert sum(count["batches"] for count in whole.report(0)["drawn"].values()) == 27
    assert {count["examples"] for count in whole.report(0)["drawn"].values()} == {36}


@pytest.mark.slow
def test_two_processes_draw_and_count_what_one_does(
    whole_run: Callable[..., Project], tiny_project: Callable[..., Project]
) -> None:
    project = tiny_project()

    for ended in project.run_ranks(2):
        assert ended.code == 0, ended.output

    whole = whole_run()
    assert images(project.version(0)) == images(whole.version(0))
    assert images(whole.version(0)).keys() == TAGS
    assert project.report(0)["drawn"] == whole.report(0)["drawn"]
