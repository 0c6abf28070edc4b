from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch

from callbacks import AtomicCheckpointIO, LossGuard, ResumableCheckpoint
from callbacks.saving import NonFiniteWeightsError
from tests.tiny import build_module, make_trainer, open_data

Fit = Callable[..., Path]


class SpoilGradient(L.Callback):
    """Makes a gradient NaN at a step whose loss is finite."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_after_backward(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.global_step == self.step:
            gradients = [weight.grad for weight in pl_module.parameters() if weight.grad is not None]
            gradients[0].flatten()[0] = torch.nan


@pytest.fixture
def fit(tiny_backbone: Path, cs224n_root: Path, tmp_path: Path) -> Fit:
    def run(*callbacks: L.Callback, **settings: Any) -> Path:
        plugins = [AtomicCheckpointIO()]
        trainer = make_trainer(
            tmp_path, *callbacks, plugins=plugins, enable_checkpointing=True, limit_val_batches=0, **settings
        )
        data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache")
        trainer.fit(build_module(tiny_backbone), datamodule=data)
        return tmp_path / "checkpoints" / "last.ckpt"

    return run


def saved_step(path: Path) -> int:
    checkpoint = torch.load(path, weights_only=True)
    assert all(weight.isfinite().all() for weight in checkpoint["state_dict"].values())
    return int(checkpoint["global_step"])


def test_spoilt_weights_do_not_take_the_place_of_sound_ones(fit: Fit, tmp_path: Path) -> None:
    with pytest.raises(NonFiniteWeightsError, match=r"step 4: the weights backbone\S* are no finite numbers") as caught:
        fit(SpoilGradient(3), ResumableCheckpoint(2))
    last = tmp_path / "checkpoints" / "last.ckpt"
    assert f"{last} is left as it was before" in str(caught.value)
    assert saved_step(last) == 2


def test_the_guard_saves_no_spoilt_weights_and_blames_the_gradients(fit: Fit, tmp_path: Path) -> None:
    with pytest.raises(NonFiniteWeightsError, match=r"gradients that were not\. Nothing is saved") as caught:
        fit(SpoilGradient(3), LossGuard(), ResumableCheckpoint(100))
    assert "--guard.skip_limit 10" in str(caught.value)
    assert not (tmp_path / "checkpoints" / "last.ckpt").exists()


def test_spoilt_weights_at_the_end_are_no_success(fit: Fit) -> None:
    with pytest.raises(NonFiniteWeightsError, match="step 3: the weights"):
        fit(SpoilGradient(2), ResumableCheckpoint(0), max_steps=3)


def test_sound_weights_are_saved(fit: Fit) -> None:
    assert saved_step(fit(LossGuard(), ResumableCheckpoint(0), max_steps=3)) == 3
