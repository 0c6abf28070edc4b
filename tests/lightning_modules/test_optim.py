import math
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch
from torch import nn

from lightning_modules import MultitaskModule, OptimizerSettings
from lightning_modules.optim import build_optimizer, build_scheduler
from objectives import Uncertainty
from tasks import InputError
from tests.tiny import build_module, make_trainer, open_data


def optimizer_of(module: MultitaskModule, settings: OptimizerSettings) -> torch.optim.AdamW:
    return build_optimizer(settings, module.backbone, module.heads, fused=True)


@pytest.mark.parametrize("layer_decay", [1.0, 0.9])
@pytest.mark.parametrize("frozen", [False, True])
def test_every_trainable_parameter_is_in_one_group(frozen, layer_decay, tiny_backbone):
    module = build_module(tiny_backbone, freeze_backbone=frozen)
    optimizer = optimizer_of(module, OptimizerSettings(layer_decay=layer_decay))
    grouped = [id(parameter) for group in optimizer.param_groups for parameter in group["params"]]
    trainable = {id(parameter): name for name, parameter in module.named_parameters() if parameter.requires_grad}
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == set(trainable)
    assert any(name.startswith("backbone.") for name in trainable.values()) is not frozen


def test_vectors_are_not_decayed_and_heads_have_their_own_rate(tiny_backbone):
    module = build_module(tiny_backbone)
    optimizer = optimizer_of(module, OptimizerSettings(lr=1e-3, head_lr=1e-2, weight_decay=0.1))
    found = {
        id(parameter): (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    names = 0
    for name, parameter in module.named_parameters():
        is_vector = name.endswith("bias") or "LayerNorm" in name
        rate = 1e-2 if name.startswith("heads.") else 1e-3
        assert found[id(parameter)] == (rate, 0.0 if is_vector else 0.1), name
        names += 1
    assert names > 30


def test_lower_layers_learn_more_slowly_and_vectors_are_still_not_decayed(tiny_backbone):
    module = build_module(tiny_backbone)
    settings = OptimizerSettings(lr=1.0, head_lr=3.0, weight_decay=0.1, layer_decay=0.5)
    found = {
        id(parameter): (group["lr"], group["weight_decay"])
        for group in optimizer_of(module, settings).param_groups
        for parameter in group["params"]
    }
    names = [group["name"] for group in optimizer_of(module, settings).param_groups]
    parts = ("layer-2", "layer-1", "embeddings", "heads")
    assert names == [f"{part}{decay}" for part in parts for decay in ("", "-no-decay")]
    by_hand = {  # two layers
        "backbone.bert.pooler.": 1.0,
        "backbone.bert.encoder.layer.1.": 1.0,
        "backbone.bert.encoder.layer.0.": 0.5,
        "backbone.bert.embeddings.": 0.25,
        "heads.": 3.0,
    }
    seen = set()
    for name, parameter in module.named_parameters():
        part = next(part for part in by_hand if name.startswith(part))
        is_vector = name.endswith("bias") or "LayerNorm" in name
        assert found[id(parameter)] == (by_hand[part], 0.0 if is_vector else 0.1), name
        seen.add(part)
    assert seen == set(by_hand)


def test_without_layer_decay_the_groups_are_the_four_that_they_were(tiny_backbone):
    optimizer = optimizer_of(build_module(tiny_backbone), OptimizerSettings(layer_decay=1.0))
    assert len(optimizer.param_groups) == 4


def test_heads_take_the_backbones_rate_unless_told(tiny_backbone):
    optimizer = optimizer_of(build_module(tiny_backbone), OptimizerSettings(lr=3e-4))
    assert {group["lr"] for group in optimizer.param_groups} == {3e-4}


def test_without_gradient_signal_matrices_shrink_and_vectors_stay():
    backbone, head = nn.Linear(2, 3), nn.Linear(3, 1)
    before = {name: parameter.clone() for name, parameter in backbone.named_parameters()}
    optimizer = build_optimizer(OptimizerSettings(lr=0.1, weight_decay=0.5), backbone, head, fused=False)
    for parameter in [*backbone.parameters(), *head.parameters()]:
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    assert torch.allclose(backbone.weight, before["weight"] * (1 - 0.1 * 0.5))
    assert torch.equal(backbone.bias, before["bias"])


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [  # ten steps, two of warm-up; by hand
        ("constant", [0.0, 0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
        ("linear", [0.0, 0.5, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0]),
        ("cosine", [0.0, 0.5, *[(1 + math.cos(math.pi * step / 8)) / 2 for step in range(9)]]),
    ],
)
def test_schedule_rises_then_does_what_its_name_says(schedule, expected):
    settings = OptimizerSettings(lr=2.0, head_lr=4.0, schedule=schedule, warmup=0.2)
    optimizer = build_optimizer(settings, nn.Linear(2, 2), nn.Linear(2, 2), fused=False)
    scheduler = build_scheduler(settings, optimizer, 10)
    rates = []
    for _ in range(11):
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    assert rates == [pytest.approx([2 * part, 2 * part, 4 * part, 4 * part]) for part in expected]


def test_after_a_probe_the_whole_schedule_follows():
    settings = OptimizerSettings(lr=2.0, head_lr=4.0, schedule="linear", warmup=0.5)
    optimizer = build_optimizer(settings, nn.Linear(2, 2), nn.Linear(2, 2), fused=False)
    scheduler = build_scheduler(settings, optimizer, 7, probe_steps=3)
    shares = []
    for _ in range(7):
        shares.append([group["lr"] / group["initial_lr"] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    assert shares == [pytest.approx([share] * 4) for share in (1, 1, 1, 0, 0.5, 1, 0.5)]
    assert [group["initial_lr"] for group in optimizer.param_groups] == [2, 2, 4, 4]


@pytest.mark.parametrize("warmup", [0.0, 1.0])
def test_warmup_may_be_nothing_or_everything(warmup):
    settings = OptimizerSettings(lr=1.0, warmup=warmup)
    optimizer = build_optimizer(settings, nn.Linear(2, 2), nn.Linear(2, 2), fused=False)
    build_scheduler(settings, optimizer, 4)
    assert optimizer.param_groups[0]["lr"] == (1.0 if warmup == 0 else 0.0)


def test_a_training_without_end_is_refused():
    optimizer = build_optimizer(OptimizerSettings(), nn.Linear(2, 2), nn.Linear(2, 2), fused=False)
    with pytest.raises(InputError, match=r"set trainer\.max_epochs or trainer\.max_steps"):
        build_scheduler(OptimizerSettings(), optimizer, float("inf"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"warmup": 1.5}, r"optimizer\.warmup is 1\.5"),
        ({"warmup": -0.1}, r"optimizer\.warmup is -0\.1"),
        ({"lr": -1.0}, r"optimizer\.lr is -1\.0"),
        ({"head_lr": -1.0}, r"optimizer\.head_lr is -1\.0"),
        ({"weight_decay": -0.01}, r"optimizer\.weight_decay is -0\.01"),
        ({"lr": float("nan")}, r"optimizer\.lr is nan"),
        ({"head_lr": float("inf")}, r"optimizer\.head_lr is inf"),
        ({"eps": -1e-8}, r"optimizer\.eps is -1e-08 \(expected 0 or more\)"),
        ({"betas": (0.9, 1.0)}, r"optimizer\.betas is \[0\.9, 1\.0\] \(expected two numbers from 0, less than 1\)"),
        ({"layer_decay": 0.0}, r"optimizer\.layer_decay is 0\.0 \(expected more than 0, at most 1\)"),
        ({"layer_decay": 1.1}, r"optimizer\.layer_decay is 1\.1"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        OptimizerSettings(**settings)


class Watch(L.Callback):
    """Keeps the size of the gradients that each step used, and the rates it used them with."""

    def __init__(self) -> None:
        self.norms: list[float] = []
        self.largest: list[float] = []
        self.rates: list[float] = []

    def on_train_batch_start(self, trainer: L.Trainer, *_: Any) -> None:
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    def on_before_zero_grad(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        gradients = [parameter.grad for parameter in pl_module.parameters() if parameter.grad is not None]
        if gradients:
            self.norms.append(float(torch.stack([gradient.norm() for gradient in gradients]).norm()))
            self.largest.append(float(torch.stack([gradient.abs().max() for gradient in gradients]).max()))


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("algorithm", ["norm", "value", None])
def test_gradients_are_clipped_in_every_precision(algorithm, precision, tiny_backbone, cs224n_root, tmp_path):
    watch = Watch()
    trainer = make_trainer(
        tmp_path,
        watch,
        precision=precision,
        max_steps=4,
        gradient_clip_val=1e-3 if algorithm else None,
        gradient_clip_algorithm=algorithm,
    )
    trainer.fit(build_module(tiny_backbone), datamodule=open_data(tiny_backbone, cs224n_root, tmp_path / "cache"))
    assert len(watch.norms) == 3
    if algorithm == "norm":
        assert watch.norms == pytest.approx([1e-3] * 3, rel=1e-2)
    elif algorithm == "value":
        assert watch.largest == pytest.approx([1e-3] * 3)
    else:
        assert min(watch.norms) > 1e-2


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_learnt_weights_of_losses_are_not_clipped(precision, tiny_backbone, cs224n_root, tmp_path):
    found: list[tuple[float, float]] = []

    class Norms(L.Callback):
        def on_before_zero_grad(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
            if trainer.global_step:
                own = {id(weight) for weight in pl_module.weighting.parameters()}
                named = [(id(w) in own, w.grad.norm()) for w in pl_module.parameters() if w.grad is not None]
                found.append(
                    tuple(float(torch.stack([n for o, n in named if o == is_own]).norm()) for is_own in (0, 1))
                )

    torch.manual_seed(0)
    module = build_module(tiny_backbone, weighting=Uncertainty)
    trainer = make_trainer(tmp_path, Norms(), precision=precision, max_steps=4, gradient_clip_val=1e-3)
    trainer.fit(module, datamodule=open_data(tiny_backbone, cs224n_root, tmp_path / "cache"))
    assert [norm for norm, _ in found] == pytest.approx([1e-3] * 3, rel=1e-2)
    assert min(norm for _, norm in found) > 0.1


def test_the_rate_falls_over_all_optimiser_steps(tiny_backbone, cs224n_root, tmp_path: Path):
    watch = Watch()
    module = build_module(tiny_backbone, optimizer=OptimizerSettings(lr=1.0, warmup=0.0, schedule="linear"))
    trainer = make_trainer(tmp_path, watch, accumulate_grad_batches=3, max_epochs=2)
    trainer.fit(module, datamodule=open_data(tiny_backbone, cs224n_root, tmp_path / "cache"))
    assert trainer.global_step == 6
    assert watch.rates == pytest.approx([1 - batch // 3 / 6 for batch in range(18)])
