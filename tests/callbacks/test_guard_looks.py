import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger
from torch.utils._python_dispatch import TorchDispatchMode

from callbacks import LossGuard, StepSeed, TaskLosses
from callbacks.guard import BackgroundValue, NonFiniteLossError
from tests.tiny import STEPS_AN_EPOCH, build_module, make_trainer, open_data

WAITING = {  # operators whose result the host needs before it goes on
    "aten::_local_scalar_dense",
    "aten::item",
    "aten::is_nonzero",
    "aten::nonzero",
    "aten::masked_select",
    "aten::unique_consecutive",
    "aten::_unique2",
    "aten::equal",
}


class NoWaiting(TorchDispatchMode):
    """Raises at every operator that would make the host wait for a device."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name
        if name in WAITING or (name == "aten::index" and any(i is not None and i.dtype == torch.bool for i in args[1])):
            raise AssertionError(f"{name} waits for the device")
        self.seen += 1
        return func(*args, **(kwargs or {}))


class WatchSteps(L.Callback):
    """Puts each training step, from its batch's start to its end, under a dispatch mode."""

    def __init__(self) -> None:
        self.modes: list[NoWaiting] = []

    def on_train_batch_start(self, *_: Any, **__: Any) -> None:
        self.modes.append(NoWaiting())
        self.modes[-1].__enter__()

    def on_train_batch_end(self, *_: Any, **__: Any) -> None:
        self.modes[-1].__exit__(None, None, None)


class Spoil(L.Callback):
    """Makes what the heads compute NaN from a step on, so that its loss is NaN."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.before: dict[str, torch.Tensor] = {}

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if batch_idx == self.step:
            for head in pl_module.heads.values():
                head.linear.register_forward_hook(lambda module, inputs, output: output * math.nan)
            self.before = {name: tensor.clone() for name, tensor in pl_module.state_dict().items()}


@pytest.fixture
def fit(tiny_backbone: Path, cs224n_root: Path, tmp_path: Path) -> Iterator[Any]:
    def run(*callbacks: L.Callback, **settings: Any) -> L.Trainer:
        trainer = make_trainer(tmp_path, *callbacks, logger=CSVLogger(tmp_path), log_every_n_steps=100, **settings)
        data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache")
        trainer.fit(build_module(tiny_backbone), datamodule=data)
        return trainer

    return run


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("clip", [None, 1.0])
def test_no_training_step_waits_for_the_device(precision: str, clip: float | None, fit: Any) -> None:
    watch = WatchSteps()
    callbacks = (StepSeed(1), TaskLosses(), LossGuard(look="before_step"), watch)

    fit(*callbacks, precision=precision, gradient_clip_val=clip, limit_val_batches=0)

    assert len(watch.modes) == STEPS_AN_EPOCH
    assert all(mode.seen > 100 for mode in watch.modes)


def test_the_watch_finds_a_guard_that_looks_before_the_backward_pass(fit: Any) -> None:
    watch = WatchSteps()
    try:
        with pytest.raises(AssertionError, match="_local_scalar_dense waits for the device"):
            fit(watch, LossGuard(look="before_backward"), limit_val_batches=0)
    finally:
        watch.modes[-1].__exit__(None, None, None)


@pytest.mark.parametrize("look", ["auto", "before_backward", "before_step"])
def test_a_bad_loss_stops_before_the_weights_change(look: Any, fit: Any, tmp_path: Path) -> None:
    spoil = Spoil(4)

    with pytest.raises(NonFiniteLossError, match=r"step 4: the loss is nan \(task \w+, learning rate 0.001, rows \["):
        fit(spoil, LossGuard(look=look), limit_val_batches=0)

    folder = next(tmp_path.glob("lightning_logs/version_*"))
    saved = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert saved["global_step"] == 4
    assert saved["loops"]["fit_loop"]["epoch_loop.batch_progress"]["current"]["processed"] == 4
    for name, tensor in spoil.before.items():
        torch.testing.assert_close(saved["state_dict"][name], tensor, rtol=0, atol=0, equal_nan=True)
    assert json.loads((folder / "nonfinite.json").read_text())["step"] == 4


def test_both_places_to_look_name_the_same_batch(fit: Any, tmp_path: Path) -> None:
    for look in ("before_backward", "before_step"):
        with pytest.raises(NonFiniteLossError):
            fit(Spoil(4), LossGuard(look=look), limit_val_batches=0)

    first, second = (json.loads(path.read_text()) for path in sorted(tmp_path.glob("lightning_logs/*/nonfinite.json")))
    assert first == second


def test_with_accumulation_the_bad_batch_of_the_window_is_named(fit: Any, tmp_path: Path) -> None:
    with pytest.raises(NonFiniteLossError, match="step 1: the loss is nan"):
        fit(Spoil(4), LossGuard(look="before_step"), limit_val_batches=0, accumulate_grad_batches=3)
    details = json.loads(next(tmp_path.glob("lightning_logs/version_0/nonfinite.json")).read_text())
    with pytest.raises(NonFiniteLossError):
        fit(Spoil(4), LossGuard(look="before_backward"), limit_val_batches=0, accumulate_grad_batches=3)
    expected = json.loads(next(tmp_path.glob("lightning_logs/version_1/nonfinite.json")).read_text())
    assert (details["task"], details["ids"]) == (expected["task"], expected["ids"])


@pytest.mark.parametrize("value", [1.5, math.inf, -2.0])
def test_a_background_value_arrives(value: float) -> None:
    assert BackgroundValue(torch.tensor(value)).wait() == value
    assert BackgroundValue(torch.tensor(value, dtype=torch.bfloat16)).wait() == value


def test_a_background_value_keeps_the_number_it_was_made_of() -> None:
    tensor = torch.tensor(3.0)
    value = BackgroundValue(tensor)
    tensor.fill_(7.0)
    assert value.wait() == 3.0
