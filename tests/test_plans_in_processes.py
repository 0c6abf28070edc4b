"""Two processes train as one does, whatever the plan: each process here is a real one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.runs import Project

HEAD = {"class_path": "LinearHead", "init_args": {"dropout": 0.0}}
TASKS = {name: {"class_path": name.capitalize(), "init_args": {"head": HEAD}} for name in ("sst", "quora", "sts")}
PLANS: dict[str, dict[str, Any]] = {
    "pals": {"model.adapter": {"class_path": "Pals", "init_args": {"num_heads": 2}}, "averaging": "Ema"},
    "lora": {"model.adapter": "Lora", "model.save_trainable_only": True, "model.optimizer.layer_decay": 0.9},
    "trunk": {"model.trunk": {"size": 8, "dropout": 0.0}, "model.optimizer.head_lr": 0.01},
    "probe": {
        "model.linear_probe_epochs": 1,
        "tasks.sst": {"class_path": "Sst", "init_args": {"head_only_from": 1, "head": HEAD}},
        "plateau.patience": 1,
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("plan", PLANS)
def test_two_processes_train_as_one(plan: str, still_backbone: Path, tiny_project: Callable[..., Project]) -> None:
    base = {"model.backbone": str(still_backbone), "model.optimizer.eps": 0.1, "trainer.max_epochs": 2, "tasks": TASKS}
    changes = {**base, **PLANS[plan]}
    one, two = tiny_project(**changes), tiny_project(**changes)
    alone, ended = one.run(), two.run_ranks(2)
    assert alone.code == 0, alone.output
    assert {process.code for process in ended} == {0}, ended[0].output
    assert [entry["task"] for entry in two.trace(0)] == [entry["task"] for entry in one.trace(0)]
    expected, found = one.weights(0), two.weights(0)
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(
            found[name], tensor, rtol=0, atol=2e-5, msg=lambda text, name=name: f"{name}: {text}"
        )
