"""`best` where a run keeps several checkpoints: the best of them, which need not be the newest."""

import os
from copy import deepcopy
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.demos.boring_classes import BoringDataModule, BoringModel

from callbacks import BestCheckpoint, BestTaskCheckpoint, refuse_other_last
from runtime.run_folders import best_note, find_in_run, note_best
from tasks import InputError
from tests.tiny import make_trainer


class Scored(BoringModel):
    """Scores what it is told to, one validation after the other."""

    def __init__(self, *scores: float) -> None:
        super().__init__()
        self.scores = list(scores)

    def on_validation_epoch_end(self) -> None:
        self.log("score", self.scores.pop(0))


def train(run: Path, *scores: float, state: dict[str, Any] | None = None, **settings: Any) -> BestCheckpoint:
    """Train a step for each score, and return what kept the best weights."""
    named: dict[str, Any] = {
        "monitor": "score",
        "mode": "max",
        "filename": "best-{epoch}",
        "save_on_train_epoch_end": False,
    }
    best = BestCheckpoint(run / "checkpoints", save_weights_only=True, **named, **settings)
    if state is not None:
        best.load_state_dict(state)
    limits: dict[str, Any] = {"max_epochs": len(scores), "limit_train_batches": 1, "limit_val_batches": 1}
    trainer: L.Trainer = make_trainer(run, best, enable_checkpointing=True, **limits)
    trainer.fit(Scored(*scores), datamodule=BoringDataModule())
    return best


@pytest.mark.parametrize("save_top_k", [2, -1])
def test_best_is_the_best_one_though_a_worse_one_is_newer(save_top_k: int, tmp_path: Path) -> None:
    train(tmp_path, 0.5, 0.9, 0.8, 0.4, save_top_k=save_top_k)
    names = sorted(path.name for path in (tmp_path / "checkpoints").glob("*.ckpt"))
    assert names[-2:] == (["best-epoch=1.ckpt", "best-epoch=2.ckpt"] if save_top_k == 2 else names[-2:])
    assert len(names) == (2 if save_top_k == 2 else 4)
    assert find_in_run(tmp_path, "best") == tmp_path / "checkpoints" / "best-epoch=1.ckpt"


def test_a_resumed_run_still_knows_a_better_one_in_the_folder_of_the_run_before(tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"version_{number}" for number in range(3))
    state = train(first, 0.9, 0.5, save_top_k=2).state_dict()
    train(second, 0.7, state=deepcopy(state), save_top_k=2)
    assert [path.name for path in (second / "checkpoints").glob("*.ckpt")] == ["best-epoch=0.ckpt"]
    assert find_in_run(second, "best") == first / "checkpoints" / "best-epoch=0.ckpt"
    train(third, 0.95, state=deepcopy(state), save_top_k=2)
    assert find_in_run(third, "best") == third / "checkpoints" / "best-epoch=0.ckpt"


def test_a_resumed_run_that_finds_no_better_weights_means_those_of_the_run_before(tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"version_{number}" for number in range(3))
    state = train(first, 0.9).state_dict()
    train(second, 0.7, 0.8, state=deepcopy(state))
    assert list((second / "checkpoints").glob("*.ckpt")) == []
    assert find_in_run(second, "best") == first / "checkpoints" / "best-epoch=0.ckpt"
    assert find_in_run(second, "best-sst") is find_in_run(second, "last") is None
    train(third, 0.7, 0.95, state=deepcopy(state))
    assert find_in_run(third, "best") == third / "checkpoints" / "best-epoch=1.ckpt"


def test_the_best_weights_of_a_task_are_no_best_weights_of_all(tmp_path: Path) -> None:
    best = BestTaskCheckpoint("sst", "accuracy")
    assert (best.which, BestCheckpoint().which) == ("best-sst", "best")
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (folder / "best-sst-epoch=1.ckpt").touch()
    note_best(folder, best.which, folder / "best-sst-epoch=1.ckpt")
    assert find_in_run(tmp_path, "best-sst") == folder / "best-sst-epoch=1.ckpt"
    assert find_in_run(tmp_path, "best") is None


def test_a_run_that_keeps_one_writes_nothing_beside_it(tmp_path: Path) -> None:
    train(tmp_path, 0.5, 0.9)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["best-epoch=1.ckpt"]


def test_a_note_of_a_checkpoint_that_is_gone_counts_for_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for number, name in enumerate(["best-a.ckpt", "best-b.ckpt"]):
        (folder / name).touch()
        os.utime(folder / name, (number, number))
    note_best(folder, "best", folder / "best-a.ckpt")
    assert find_in_run(tmp_path, "best") == folder / "best-a.ckpt"
    (folder / "best-a.ckpt").unlink()
    assert best_note(folder, "best").is_file()
    assert find_in_run(tmp_path, "best") == folder / "best-b.ckpt"


def test_another_callback_may_not_write_over_the_checkpoint_to_resume_from(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"trainer.callbacks.ModelCheckpoint.save_last is True \(expected null, or a"):
        refuse_other_last([ModelCheckpoint(save_last=True)])
    refuse_other_last([ModelCheckpoint(save_last=True, dirpath=tmp_path), ModelCheckpoint(), L.Callback()])
