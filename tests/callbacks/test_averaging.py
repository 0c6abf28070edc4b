import re
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch
from torch import Tensor

from backbones.digest import digest_weights
from callbacks import (
    AtomicCheckpointIO,
    Averaging,
    BestCheckpoint,
    Ema,
    FinalValidation,
    KeepPrecision,
    ResumableCheckpoint,
    StepSeed,
    Swa,
)
from lightning_modules import MultitaskModule
from tasks import InputError
from tests.tiny import build_module, make_trainer, open_data

Weights = dict[str, Tensor]


class Watch(L.Callback):
    """Keeps the weights after each optimiser step, and those of each validation."""

    def __init__(self) -> None:
        self.trained: list[Weights] = []
        self.evaluated: list[Weights] = []

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        if trainer.global_step > len(self.trained):
            self.trained.append(copy(pl_module.state_dict()))

    def on_validation_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int, *_: Any
    ) -> None:
        if batch_idx == 0:
            self.evaluated.append(copy(pl_module.state_dict()))


def copy(weights: Weights) -> Weights:
    return {name: tensor.detach().clone() for name, tensor in weights.items()}


def fit(
    folder: Path,
    backbone: Path,
    root: Path,
    averaging: Averaging | None,
    ckpt_path: Path | None = None,
    **settings: Any,
) -> tuple[MultitaskModule, Watch]:
    torch.manual_seed(0)
    watch, module = Watch(), build_module(backbone)
    best = BestCheckpoint(folder, filename="best", monitor="val/sst/loss", save_weights_only=True)
    callbacks = [
        *[StepSeed(0), KeepPrecision()],
        watch,
        *([averaging] if averaging else []),
        FinalValidation(),
        best,
        ResumableCheckpoint(0),
    ]
    trainer = make_trainer(
        folder, *callbacks, enable_checkpointing=True, plugins=[AtomicCheckpointIO()], **{"max_steps": 6, **settings}
    )
    trainer.fit(module, datamodule=open_data(backbone, root, folder / "cache"), ckpt_path=ckpt_path)
    return module, watch


def assert_equal(found: Weights, expected: Weights, tolerance: float = 1e-6) -> None:
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=0, atol=tolerance, msg=lambda text, name=name: name + text)


def weighted(weights: list[Weights], shares: list[float]) -> Weights:
    """Return the weighted sum of the floating tensors, the last of the others."""
    return {
        name: sum(share * one[name] for share, one in zip(shares, weights, strict=True))
        if tensor.is_floating_point()
        else tensor
        for name, tensor in weights[-1].items()
    }


def test_ema_is_the_average_by_hand_and_what_is_evaluated_saved_and_left(tiny_backbone, cs224n_root, tmp_path):
    module, watch = fit(tmp_path, tiny_backbone, cs224n_root, Ema(decay=0.75))
    assert len(watch.trained) == 6
    shares = [0.75**5, *(0.25 * 0.75**k for k in (4, 3, 2, 1, 0))]  # the first step starts the average
    expected = weighted(watch.trained, shares)
    assert_equal(watch.evaluated[-1], expected)
    assert_equal(copy(module.state_dict()), expected)
    last = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    assert_equal(last["state_dict"], expected)
    assert_equal(last["current_model_state"], watch.trained[-1], tolerance=0)
    best = torch.load(tmp_path / "best.ckpt", weights_only=True)
    assert_equal(best["state_dict"], expected)
    assert "current_model_state" not in best
    loaded = MultitaskModule.load_from_checkpoint(tmp_path / "best.ckpt")
    assert digest_weights(loaded) == digest_weights(module)
    assert not torch.equal(expected["heads.sst.linear.weight"], watch.trained[-1]["heads.sst.linear.weight"])


def test_integer_buffers_are_never_averaged(tiny_backbone, cs224n_root, tmp_path):
    module, _ = fit(tmp_path, tiny_backbone, cs224n_root, Ema(decay=0.9))
    positions = module.backbone.bert.embeddings.position_ids
    assert torch.equal(positions[0], torch.arange(positions.shape[1]))


@pytest.mark.parametrize(
    ("options", "steps"),
    [({"start": 0.5}, [4, 5, 6]), ({"start": 0.0, "every_n_steps": 2}, [2, 4, 6]), ({"start": 0.9}, [6])],
)
def test_swa_is_the_plain_mean_of_the_later_steps(options, steps, tiny_backbone, cs224n_root, tmp_path):
    module, watch = fit(tmp_path, tiny_backbone, cs224n_root, Swa(**options))
    expected = weighted([watch.trained[step - 1] for step in steps], [1 / len(steps)] * len(steps))
    assert_equal(copy(module.state_dict()), expected)


def test_before_its_start_swa_evaluates_the_weights_as_they_are(tiny_backbone, cs224n_root, tmp_path):
    _, watch = fit(tmp_path, tiny_backbone, cs224n_root, Swa(start=0.6), val_check_interval=2)
    assert_equal(watch.evaluated[0], watch.trained[1], tolerance=0)
    assert_equal(watch.evaluated[-1], weighted(watch.trained[3:6], [1 / 3] * 3))


def test_training_itself_is_not_changed(tiny_backbone, cs224n_root, tmp_path):
    _, plain = fit(tmp_path / "plain", tiny_backbone, cs224n_root, None, val_check_interval=2)
    _, averaged = fit(tmp_path / "ema", tiny_backbone, cs224n_root, Ema(0.5), val_check_interval=2)
    for one, other in zip(plain.trained, averaged.trained, strict=True):
        assert_equal(one, other, tolerance=0)


@pytest.mark.parametrize("build", [lambda: None, lambda: Ema(0.8), lambda: Swa(start=0.0)])
def test_weights_in_double_precision_are_averaged_and_resumed_in_it(build, tiny_backbone, cs224n_root, tmp_path):
    settings = {"precision": "64-true"}
    whole, _ = fit(tmp_path / "whole", tiny_backbone, cs224n_root, build(), **settings)
    fit(tmp_path / "first", tiny_backbone, cs224n_root, build(), max_steps=3, **settings)
    last = next((tmp_path / "first").rglob("last.ckpt"))
    resumed, _ = fit(tmp_path / "second", tiny_backbone, cs224n_root, build(), ckpt_path=last, **settings)

    assert whole.backbone.bert.embeddings.word_embeddings.weight.dtype == torch.float64
    assert_equal(resumed.state_dict(), whole.state_dict(), tolerance=0)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (Ema(0.5), None, "averaging: null (the checkpoint: Ema)"),
        (None, Ema(0.5), "averaging: Ema (the checkpoint: null)"),
        (Ema(0.5), Ema(0.6), "averaging.decay: 0.6 (the checkpoint: 0.5)"),
        (Ema(0.5), Swa(), "averaging: Swa (the checkpoint: Ema)"),
    ],
)
def test_a_training_is_not_resumed_with_another_average(before, after, said, tiny_backbone, cs224n_root, tmp_path):
    fit(tmp_path, tiny_backbone, cs224n_root, before, max_steps=2)
    with pytest.raises(InputError, match=f"but was given {re.escape(said)}$"):
        fit(tmp_path / "again", tiny_backbone, cs224n_root, after, tmp_path / "checkpoints" / "last.ckpt", max_steps=4)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Ema(1.0), r"averaging\.decay is 1\.0"),
        (lambda: Swa(start=1.0), r"start is 1\.0"),
        (lambda: Swa(every_n_steps=0), r"every_n_steps 0"),
    ],
)
def test_options_out_of_range_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
