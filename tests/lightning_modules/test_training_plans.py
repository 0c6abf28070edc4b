"""Which weights train when: the linear probe and tasks that train their head only."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch
from torch import Tensor

from backbones import Pals
from callbacks import StepSeed
from lightning_modules import MultitaskModule, OptimizerSettings
from tasks import InputError, Sst, Sts
from tests.tiny import STEPS_AN_EPOCH, TASKS, build_module, make_trainer, open_data

Weights = dict[str, Tensor]


class Watch(L.Callback):
    """Keeps weights and learning-rate shares at each batch, and what had gradients in it."""

    def __init__(self) -> None:
        self.weights: list[Weights] = []
        self.shares: list[float] = []
        self.learnt: list[tuple[str, bool]] = []
        self.validated: list[dict[str, float]] = []

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, *_: Any) -> None:
        self.weights.append({name: weight.detach().clone() for name, weight in pl_module.named_parameters()})
        group = trainer.optimizers[0].param_groups[0]
        self.shares.append(group["lr"] / group["initial_lr"])
        self.task = batch.task

    def on_before_optimizer_step(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        gradients = [weight.grad for weight in pl_module.backbone.parameters()]
        self.learnt.append((self.task, any(gradient is not None for gradient in gradients)))

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.validated.append({name: float(value) for name, value in trainer.callback_metrics.items()})


def fit(folder: Path, backbone: Path, root: Path, *, trainer: dict[str, Any], **settings: Any) -> Watch:
    torch.manual_seed(0)
    watch = Watch()
    module = build_module(backbone, **settings)
    data = open_data(backbone, root, folder / "cache", tasks=settings.get("tasks"))
    make_trainer(folder, watch, StepSeed(1), **trainer).fit(module, datamodule=data)
    assert not module.backbone.frozen
    assert all(part.training for part in module.backbone.modules())
    return watch


def changed(before: Weights, after: Weights, part: str) -> set[str]:
    return {name for name in before if name.startswith(part) and not torch.equal(before[name], after[name])}


@pytest.mark.parametrize("adapter", [None, Pals(num_heads=2)], ids=["plain", "pals"])
def test_a_linear_probe_trains_the_heads_then_everything(adapter, tiny_backbone, cs224n_root, tmp_path):
    optimizer = OptimizerSettings(lr=1e-3, schedule="linear", warmup=0.5)
    watch = fit(
        tmp_path,
        tiny_backbone,
        cs224n_root,
        trainer={"max_epochs": 2},
        linear_probe_epochs=1,
        adapter=adapter,
        optimizer=optimizer,
    )
    first, second, last = (watch.weights[step] for step in (0, STEPS_AN_EPOCH, -1))
    assert changed(first, second, "backbone.") == set()
    assert len(changed(first, second, "heads.")) == 6
    assert len(changed(second, last, "backbone.bert.encoder.")) > 20
    assert [learnt for _, learnt in watch.learnt] == [False] * STEPS_AN_EPOCH + [True] * STEPS_AN_EPOCH
    assert watch.shares[: STEPS_AN_EPOCH + 1] == [1.0] * STEPS_AN_EPOCH + [0.0]  # and then a warm-up
    assert max(watch.shares[STEPS_AN_EPOCH:]) > 0.8
    assert watch.shares[-1] < 0.3


def test_the_probes_vectors_are_computed_once_without_changing_anything(tiny_backbone, cs224n_root, tmp_path):
    found = [
        fit(
            tmp_path / str(cached),
            tiny_backbone,
            cs224n_root,
            trainer={"max_epochs": 2},
            linear_probe_epochs=1,
            cache_vectors=cached,
        )
        for cached in (False, True)
    ]
    for name, weight in found[0].weights[STEPS_AN_EPOCH].items():
        torch.testing.assert_close(found[1].weights[STEPS_AN_EPOCH][name], weight, rtol=0, atol=1e-6)
    assert found[0].validated[0] == pytest.approx(found[1].validated[0], abs=1e-4, nan_ok=True)


def test_the_probe_is_a_training_with_a_frozen_backbone(tiny_backbone, cs224n_root, tmp_path):
    probe = fit(tmp_path / "a", tiny_backbone, cs224n_root, trainer={"max_epochs": 2}, linear_probe_epochs=1)
    torch.manual_seed(0)
    frozen = build_module(tiny_backbone, freeze_backbone=True)
    data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache")
    make_trainer(tmp_path / "b", StepSeed(1), max_epochs=1).fit(frozen, datamodule=data)
    for name, weight in frozen.named_parameters():
        assert torch.equal(probe.weights[STEPS_AN_EPOCH][name], weight), name


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_from_its_epoch_a_task_trains_its_head_only(precision, tiny_backbone, cs224n_root, tmp_path):
    tasks = {**TASKS, "sst": Sst(head_only_from=1), "sts": Sts(head_only_from=0, encoding="bi")}
    watch = fit(tmp_path, tiny_backbone, cs224n_root, trainer={"max_epochs": 2, "precision": precision}, tasks=tasks)
    expected = {("sst", 0): True, ("sst", 1): False, ("sts", 0): False, ("sts", 1): False}
    for step, (task, learnt) in enumerate(watch.learnt):
        assert learnt == expected.get((task, step // STEPS_AN_EPOCH), True), (step, task)
    step = next(step for step, (task, _) in enumerate(watch.learnt) if task == "sts")
    before, after = watch.weights[step], watch.weights[step + 1]
    assert changed(before, after, "backbone.") == set()
    assert changed(before, after, "heads.")
    assert all(name.startswith("heads.sts.") for name in changed(before, after, ""))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"linear_probe_epochs": -1}, r"linear_probe_epochs is -1 \(expected 0 or more"),
        ({"linear_probe_epochs": 1, "freeze_backbone": True}, "and 0 with freeze_backbone"),
    ],
)
def test_a_probe_out_of_range_is_refused(settings, message, tiny_backbone):
    with pytest.raises(InputError, match=message):
        build_module(tiny_backbone, **settings)


@pytest.mark.parametrize(
    "limit", [{"max_epochs": 2}, {"max_epochs": 5, "max_steps": 15}, {"max_epochs": -1, "max_steps": 18}]
)
def test_a_probe_without_anything_after_it_is_refused(limit, tiny_backbone, cs224n_root, tmp_path):
    module = build_module(tiny_backbone, linear_probe_epochs=2)
    data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache")
    with pytest.raises(
        InputError, match=r"linear_probe_epochs is 2, which are 18 optimiser steps \(expected fewer than"
    ):
        make_trainer(tmp_path, **limit).fit(module, datamodule=data)


def test_a_probe_fits_a_training_that_steps_limit(tiny_backbone, cs224n_root, tmp_path):
    module = build_module(tiny_backbone, linear_probe_epochs=1)
    start = {name: weight.clone() for name, weight in module.backbone.named_parameters()}
    trainer = make_trainer(tmp_path, max_epochs=-1, max_steps=STEPS_AN_EPOCH + 1)
    trainer.fit(module, datamodule=open_data(tiny_backbone, cs224n_root, tmp_path / "cache"))
    assert any(not torch.equal(weight, start[name]) for name, weight in module.backbone.named_parameters())


def test_a_head_only_epoch_out_of_range_is_refused():
    with pytest.raises(InputError, match=r"Sst: head_only_from is -1 \(expected an epoch, 0 or more\)"):
        replace(TASKS["sst"], head_only_from=-1)


def test_a_probe_is_not_changed_in_a_resumed_training(tiny_backbone, cs224n_root, tmp_path):
    data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache")
    trainer = make_trainer(tmp_path, max_epochs=2, limit_train_batches=1)
    trainer.fit(build_module(tiny_backbone, linear_probe_epochs=1), datamodule=data)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    with pytest.raises(InputError, match=r"given model\.linear_probe_epochs: 0 \(the checkpoint: 1\)"):
        make_trainer(tmp_path, max_epochs=3).fit(
            build_module(tiny_backbone), datamodule=data, ckpt_path=tmp_path / "last.ckpt"
        )
    assert isinstance(MultitaskModule.load_from_checkpoint(tmp_path / "last.ckpt"), MultitaskModule)
