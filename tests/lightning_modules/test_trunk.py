"""The trunk: what all heads share behind the backbone."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from callbacks import StepSeed
from datamodules import MultitaskDataModule
from heads import TrunkLinearHead, TrunkSettings
from lightning_modules import OptimizerSettings
from tasks import InputError, Quora, Sst, Sts, Task
from tests.tiny import build_module, make_trainer, open_data, train_batches

SETTINGS = TrunkSettings(size=8)
TASKS: dict[str, Task] = {"sst": Sst(head=partial(TrunkLinearHead, trunk_size=8)), "quora": Quora(encoding="bi")}


@pytest.fixture
def data(tiny_backbone: Path, cs224n_root: Path, tmp_path: Path) -> Callable[..., MultitaskDataModule]:
    return partial(open_data, tiny_backbone, cs224n_root, tmp_path / "cache")


@pytest.mark.parametrize("task", TASKS)
def test_every_head_reads_the_pooled_vector_and_the_shared_one(task, tiny_backbone, data):
    module = build_module(tiny_backbone, tasks=TASKS, trunk=SETTINGS).eval()
    batch = train_batches(data(tasks=TASKS))[task]
    pooled = module.pool(batch)
    assert pooled.shape == (4, TASKS[task].num_sequences, 16)
    joined = torch.cat([pooled, module.trunk.layers(pooled)], dim=2)
    assert_close(module(batch), module.heads[task](joined))


@pytest.mark.parametrize("task", TASKS)
def test_every_task_trains_the_trunk_and_its_own_head(task, tiny_backbone, data):
    module = build_module(tiny_backbone, tasks=TASKS, trunk=SETTINGS)
    module.training_step(train_batches(data(tasks=TASKS))[task], 0)["loss"].backward()
    learnt = {name.split(".")[0] for name, weight in module.named_parameters() if weight.grad is not None}
    assert learnt == {"backbone", "trunk", "heads"}
    assert all(weight.grad is not None for weight in module.trunk.parameters())
    assert all(
        name.startswith(f"heads.{task}.")
        for name, weight in module.named_parameters()
        if weight.grad is not None and name.startswith("heads.")
    )


def test_a_task_that_trains_its_head_only_leaves_the_trunk_alone(tiny_backbone, data, tmp_path):
    tasks: dict[str, Task] = {"sst": Sst(head_only_from=0)}
    module = build_module(tiny_backbone, tasks=tasks, trunk=SETTINGS)
    before = {name: weight.detach().clone() for name, weight in module.named_parameters()}
    make_trainer(tmp_path).fit(module, datamodule=data(tasks=tasks))
    changed = {name for name, weight in module.named_parameters() if not torch.equal(before[name], weight)}
    assert changed == {"heads.sst.linear.weight", "heads.sst.linear.bias"}


@pytest.mark.parametrize("cached", [True, False])
def test_the_trunk_trains_on_a_frozen_backbone(cached, tiny_backbone, data, tmp_path):
    torch.manual_seed(0)
    module = build_module(tiny_backbone, tasks=TASKS, trunk=SETTINGS, freeze_backbone=True, cache_vectors=cached)
    before = {name: weight.detach().clone() for name, weight in module.named_parameters()}
    make_trainer(tmp_path, StepSeed(1)).fit(module, datamodule=data(tasks=TASKS))
    changed = {name for name, weight in module.named_parameters() if not torch.equal(before[name], weight)}
    assert changed == {name for name in before if not name.startswith("backbone.")}


def test_the_trunk_has_the_rate_of_the_heads(tiny_backbone, data, tmp_path):
    settings = OptimizerSettings(lr=1e-3, head_lr=1e-2, schedule="constant", warmup=0.0, weight_decay=0.1)
    module = build_module(tiny_backbone, tasks={"sts": Sts()}, trunk=SETTINGS, optimizer=settings)
    trainer = make_trainer(tmp_path, max_steps=1)
    trainer.fit(module, datamodule=data(tasks={"sts": Sts()}))
    groups = {id(weight): group for group in trainer.optimizers[0].param_groups for weight in group["params"]}
    assert len(groups) == len(list(module.parameters()))
    for name, weight in [*module.trunk.named_parameters(), *module.heads.named_parameters()]:
        decay = 0.1 if name.endswith("weight") else 0.0
        assert (groups[id(weight)]["lr"], groups[id(weight)]["weight_decay"]) == (1e-2, decay), name


def test_without_a_trunk_nothing_is_there(tiny_backbone):
    module = build_module(tiny_backbone)
    assert module.trunk is None
    assert not [name for name in module.state_dict() if "trunk" in name]
    assert module.heads["sst"].linear.in_features == 16


@pytest.mark.parametrize(
    ("trunk", "message"),
    [
        (None, r"task sst: TrunkLinearHead reads a shared vector of size 8, but there is none"),
        (TrunkSettings(size=4), r"task sst: TrunkLinearHead reads a shared vector of size 8, but its size is 4"),
    ],
)
def test_a_head_without_its_trunk_is_refused_with_the_tasks_name(trunk, message, tiny_backbone):
    with pytest.raises(InputError, match=message):
        build_module(tiny_backbone, tasks=TASKS, trunk=trunk)
