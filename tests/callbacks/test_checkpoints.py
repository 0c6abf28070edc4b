import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch

from callbacks import AtomicCheckpointIO, BestCheckpoint, BestTaskCheckpoint, FinalValidation, ResumableCheckpoint
from tests.tiny import STEPS_AN_EPOCH, build_module, make_trainer, open_data


class Writes(L.Callback):
    """Keeps the optimiser step of each write, and of the last validation before it."""

    def __init__(self) -> None:
        self.validated = 0
        self.writes: list[tuple[int, int]] = []

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.validated = trainer.global_step

    def on_save_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        self.writes.append((trainer.global_step, self.validated))


def train(folder: Path, backbone: Path, root: Path, checkpoint: ResumableCheckpoint, **settings: Any) -> Writes:
    writes = Writes()
    trainer = make_trainer(
        folder,
        writes,
        FinalValidation(),
        checkpoint,
        enable_checkpointing=True,
        plugins=[AtomicCheckpointIO()],
        **settings,
    )
    trainer.fit(build_module(backbone), datamodule=open_data(backbone, root, folder / "cache"))
    return writes


@pytest.mark.parametrize(
    ("every", "settings", "expected"),
    [  # nine steps an epoch; (step of the write, step of the last validation before it)
        (4, {"max_epochs": 2}, [(4, 0), (8, 0), (12, 9), (16, 9), (18, 18)]),
        (9, {"max_epochs": 2}, [(9, 9), (18, 18)]),
        (3, {"max_epochs": 1, "val_check_interval": 3}, [(3, 3), (6, 6), (9, 9)]),
        (0, {"max_epochs": 2}, [(18, 18)]),
        (500, {"max_epochs": 1}, [(9, 9)]),
        (0, {"max_steps": 5}, [(5, 5)]),
        (4, {"max_steps": 5}, [(4, 0), (5, 5)]),
        (5, {"max_steps": 5}, [(5, 5)]),
        (2, {"max_epochs": 1, "accumulate_grad_batches": 3}, [(2, 0), (3, 3)]),
        (4, {"max_epochs": 1, "limit_val_batches": 0}, [(4, 0), (8, 0), (9, 0)]),
    ],
)
def test_it_is_written_when_due_and_after_a_validation(every, settings, expected, tiny_backbone, cs224n_root, tmp_path):
    writes = train(tmp_path, tiny_backbone, cs224n_root, ResumableCheckpoint(every), **settings)
    assert writes.writes == expected
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["last.ckpt"]


@pytest.mark.parametrize(
    ("settings", "position"),
    [
        ({"max_steps": 5}, (0, 5)),
        ({"max_epochs": 1}, (1, 0)),
        ({"max_epochs": 2, "max_steps": STEPS_AN_EPOCH + 2}, (1, 2)),
    ],
)
def test_it_knows_which_batch_comes_next(settings, position, tiny_backbone, cs224n_root, tmp_path):
    train(tmp_path, tiny_backbone, cs224n_root, ResumableCheckpoint(0), **settings)
    checkpoint = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    state = checkpoint["MultitaskDataModule"]
    found = (state["epoch"], state["batch"])
    assert (found if found[1] < STEPS_AN_EPOCH else (found[0] + 1, 0)) == position
    assert {"state_dict", "optimizer_states", "lr_schedulers", "loops", "hyper_parameters"} <= checkpoint.keys()


def test_what_a_killed_writer_left_beside_it_goes_when_it_is_resumed(tiny_backbone, cs224n_root, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    train(first, tiny_backbone, cs224n_root, ResumableCheckpoint(0), max_steps=2)
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    (first / "checkpoints" / f".last.ckpt.{platform.node()}.{killed.pid}.partial").write_bytes(b"half")
    trainer = make_trainer(second, ResumableCheckpoint(0), enable_checkpointing=True, max_steps=3)
    data = open_data(tiny_backbone, cs224n_root, first / "cache")
    trainer.fit(build_module(tiny_backbone), datamodule=data, ckpt_path=first / "checkpoints" / "last.ckpt")
    assert [path.name for path in (first / "checkpoints").iterdir()] == ["last.ckpt"]


def test_a_fast_run_leaves_nothing_behind(tiny_backbone, cs224n_root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "run"
    trainer = make_trainer(run, FinalValidation(), ResumableCheckpoint(1), enable_checkpointing=True, fast_dev_run=True)
    trainer.fit(build_module(tiny_backbone), datamodule=open_data(tiny_backbone, cs224n_root, tmp_path / "cache"))
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_the_best_score_goes_on_in_a_new_folder(tmp_path):
    before = BestCheckpoint(tmp_path / "version_0", monitor="val/mean", mode="max")
    before.best_model_score = torch.tensor(0.75)
    before.best_k_models = {str(tmp_path / "version_0" / "best.ckpt"): before.best_model_score}
    after = BestCheckpoint(tmp_path / "version_1", monitor="val/mean", mode="max")
    after.load_state_dict(before.state_dict())
    assert float(after.best_model_score) == 0.75
    assert after.dirpath == str(tmp_path / "version_1")


def test_a_checkpoint_at_the_end_of_an_epoch_knows_the_score_of_its_validation(tiny_backbone, cs224n_root, tmp_path):
    best, seen = BestTaskCheckpoint("sst", "accuracy"), []

    class Watch(L.Callback):
        def on_save_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
            seen.append((trainer.global_step, best.current_score is not None))

    trainer = make_trainer(
        tmp_path,
        Watch(),
        best,
        ResumableCheckpoint(STEPS_AN_EPOCH),
        max_epochs=2,
        enable_checkpointing=True,
        plugins=[AtomicCheckpointIO()],
    )
    trainer.fit(build_module(tiny_backbone), datamodule=open_data(tiny_backbone, cs224n_root, tmp_path / "cache"))
    assert seen == [(STEPS_AN_EPOCH, True), (2 * STEPS_AN_EPOCH, True)]
