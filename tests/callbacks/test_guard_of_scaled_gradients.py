"""Steps that a gradient scaler leaves out while it looks for its scale, as under 16-mixed."""

from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch
from lightning.pytorch.plugins import MixedPrecision

from callbacks import LossGuard
from callbacks.guard import NonFiniteLossError
from tests.tiny import build_module, make_trainer, open_data


class Spoil(L.Callback):
    """Makes a gradient no number in every step."""

    def on_after_backward(self, trainer: L.Trainer, pl_module: Any) -> None:
        next(p for p in pl_module.parameters() if p.grad is not None).grad.flatten()[0] = torch.nan


def fit(backbone: Path, root: Path, folder: Path, *callbacks: L.Callback, scale: float) -> float:
    """Train for six steps in half precision; return the scale at the end."""
    scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    settings: dict[str, Any] = {"plugins": [MixedPrecision("16-mixed", "cpu", scaler)], "limit_val_batches": 0}
    trainer = make_trainer(folder, *callbacks, max_steps=6, **settings)
    trainer.fit(build_module(backbone), datamodule=open_data(backbone, root, folder / "cache"))
    assert trainer.global_step == 6
    return float(scaler.get_scale())


def test_a_scale_that_is_too_large_is_no_bad_step(tiny_backbone: Path, cs224n_root: Path, tmp_path: Path) -> None:
    guard = LossGuard(skip_limit=1)
    assert fit(tiny_backbone, cs224n_root, tmp_path, guard, scale=2.0**40) <= 2.0**38  # two steps were left out
    assert guard.skipped == 0


def test_gradients_that_no_scale_makes_finite_stop_the_run(
    tiny_backbone: Path, cs224n_root: Path, tmp_path: Path
) -> None:
    with pytest.raises(NonFiniteLossError, match="step 3: 2 steps had gradients that are no finite numbers"):
        fit(tiny_backbone, cs224n_root, tmp_path, Spoil(), LossGuard(skip_limit=1), scale=4.0)
