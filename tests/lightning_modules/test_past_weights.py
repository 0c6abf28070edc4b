from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch
from torch import Tensor

from backbones import Lora
from callbacks import AtomicCheckpointIO, FinalValidation, ResumableCheckpoint, StepSeed
from datamodules import TaskBatch
from lightning_modules import MultitaskModule
from lightning_modules.past_weights import PastWeights
from objectives import BregmanProximalPoint, RDrop
from tasks import InputError, Sst, Sts
from tests.tiny import build_module, make_trainer, open_data

TASKS = {"sst": Sst(), "sts": Sts(encoding="bi")}
BREGMAN = BregmanProximalPoint(weight=2.0, decay=0.75)


class Watcher(L.Callback):
    """Notes the weights after each step, and what the regulariser added in it."""

    def __init__(self) -> None:
        self.weights: list[dict[str, Tensor]] = []
        self.added: list[float] = []

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._note(pl_module)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._note(pl_module)
        self.added.append(float(outputs["terms"].get(f"{batch.task}/regularizer", [0.0])[0]))

    def _note(self, module: L.LightningModule) -> None:
        self.weights.append({name: weight.detach().clone() for name, weight in module.named_parameters()})


def fit(
    backbone: Path, root: Path, folder: Path, *, steps: int = 4, resume: Path | None = None, **settings: Any
) -> tuple[MultitaskModule, Watcher, L.Trainer]:
    torch.manual_seed(0)
    settings = {"regularizer": BREGMAN, **settings}
    trainer_settings = settings.pop("trainer", {})
    module = build_module(backbone, tasks=TASKS, **settings)
    watcher = Watcher()
    callbacks = (StepSeed(1), watcher, FinalValidation(), ResumableCheckpoint(0))
    trainer_settings = {"max_steps": steps, "enable_checkpointing": True, **trainer_settings}
    trainer = make_trainer(folder, *callbacks, plugins=[AtomicCheckpointIO()], **trainer_settings)
    trainer.fit(module, datamodule=open_data(backbone, root, folder, tasks=TASKS), ckpt_path=resume)
    return module, watcher, trainer


def test_the_past_weights_are_the_moving_average_by_hand(tiny_backbone, cs224n_root, tmp_path):
    module, watcher, _ = fit(tiny_backbone, cs224n_root, tmp_path)
    expected = watcher.weights[0]
    for after in watcher.weights[1:]:
        expected = {name: 0.75 * expected[name] + 0.25 * after[name] for name in expected}
    past = module._regularization.past._average
    assert past.keys() == expected.keys()
    for name, weight in past.items():
        torch.testing.assert_close(weight, expected[name], rtol=1e-5, atol=1e-7)
    assert any(not torch.equal(past[name], weight) for name, weight in module.named_parameters())  # a copy, no alias


def test_nothing_is_added_in_the_first_step_and_something_later(tiny_backbone, cs224n_root, tmp_path):
    _, watcher, _ = fit(tiny_backbone, cs224n_root, tmp_path)
    assert watcher.added[0] == 0.0
    assert all(added > 0 for added in watcher.added[1:])


def test_what_is_added_is_the_divergence_from_a_model_with_the_past_weights(tiny_backbone, cs224n_root, tmp_path):
    module, _, trainer = fit(tiny_backbone, cs224n_root, tmp_path)
    past = build_module(tiny_backbone, tasks=TASKS)
    past.load_state_dict({**module.state_dict(), **module._regularization.past._average})
    data = trainer.datamodule
    for batch in _first_batches(data):
        module.train()
        torch.manual_seed(1)
        result = module.training_step(batch, 0)
        torch.manual_seed(1)
        now = module(batch)
        torch.manual_seed(1)
        then = past.train()(batch)
        expected = 2.0 * module.heads[batch.task].divergence(now, then)
        assert expected > 0
        assert result["terms"][f"{batch.task}/regularizer"].value.item() == pytest.approx(expected.item(), rel=1e-4)


def _first_batches(data: Any) -> list[TaskBatch]:
    found: dict[str, TaskBatch] = {}
    for batch in data.train_dataloader():
        found.setdefault(batch.task, batch)
        if found.keys() == TASKS.keys():
            break
    return list(found.values())


def test_terms_of_several_regularizers_are_added_up(tiny_backbone, cs224n_root, tmp_path):
    start, alone = build_module(tiny_backbone, tasks=TASKS).state_dict(), {}
    for name, regularizer in {"rdrop": RDrop(), "both": [RDrop(), BREGMAN], "bregman": BREGMAN}.items():
        module, _, trainer = fit(tiny_backbone, cs224n_root, tmp_path / name, steps=1, regularizer=regularizer)
        module.load_state_dict(start)
        module.train()
        if module._regularization.past is not None:
            past = module._regularization.past._average
            module._regularization.past._average = {
                key: 1.01 * weight.detach() for key, weight in module.named_parameters() if key in past
            }
        batch = _first_batches(trainer.datamodule)[0]
        torch.manual_seed(1)
        alone[name] = module.training_step(batch, 0)["terms"][f"{batch.task}/regularizer"].value.item()
    assert all(alone.values())
    assert alone["both"] == pytest.approx(alone["rdrop"] + alone["bregman"], rel=1e-4)


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="plain"),
        pytest.param({"adapter": Lora(r=2)}, id="lora", marks=pytest.mark.slow),
        pytest.param({"trainer": {"accumulate_grad_batches": 2}}, id="accumulation", marks=pytest.mark.slow),
        pytest.param({"trainer": {"precision": "bf16-mixed"}}, id="bf16", marks=pytest.mark.slow),
        pytest.param(
            {"linear_probe_epochs": 1, "trainer": {"max_epochs": 2, "limit_train_batches": 2}}, id="linear probe"
        ),
        pytest.param({"freeze_backbone": True}, id="frozen", marks=pytest.mark.slow),
    ],
)
def test_a_resumed_training_goes_on_with_them(settings, tiny_backbone, cs224n_root, tmp_path):
    whole, _, _ = fit(tiny_backbone, cs224n_root, tmp_path / "whole", steps=4, **dict(settings))
    fit(tiny_backbone, cs224n_root, tmp_path / "part", steps=3, **dict(settings))
    last = tmp_path / "part" / "checkpoints" / "last.ckpt"
    kept = torch.load(last, weights_only=True)["past_weights"]
    ended, _, _ = fit(tiny_backbone, cs224n_root, tmp_path / "rest", steps=4, resume=last, **dict(settings))
    trained = {name for name, weight in ended.named_parameters() if weight.requires_grad}
    assert kept.keys() == trained
    for name, weight in whole._regularization.past._average.items():
        assert torch.equal(weight, ended._regularization.past._average[name]), name
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, ended.state_dict()[name]), name


def test_a_checkpoint_of_weights_does_not_hold_them(tiny_backbone, cs224n_root, tmp_path):
    _, _, trainer = fit(tiny_backbone, cs224n_root, tmp_path)
    trainer.save_checkpoint(tmp_path / "weights.ckpt", weights_only=True)
    assert "past_weights" not in torch.load(tmp_path / "weights.ckpt", weights_only=True)
    MultitaskModule.load_from_checkpoint(tmp_path / "weights.ckpt")


def test_a_checkpoint_without_them_is_not_resumed_with_them():
    with pytest.raises(InputError, match="compares with the past weights of its checkpoint, but there are none in it"):
        PastWeights(0.9).load({"state_dict": {}})


def test_the_tasks_that_it_does_not_cover_train_as_without_it(tiny_backbone, cs224n_root, tmp_path):
    module, _, trainer = fit(tiny_backbone, cs224n_root, tmp_path, regularizer=BregmanProximalPoint(tasks=("sst",)))
    added = {batch.task: module.training_step(batch, 0)["terms"] for batch in _first_batches(trainer.datamodule)}
    assert {task for task, terms in added.items() if f"{task}/regularizer" in terms} == {"sst"}


def test_two_decays_are_refused(tiny_backbone):
    two = [BregmanProximalPoint(tasks=("sst",)), BregmanProximalPoint(decay=0.5, tasks=("sts",))]
    with pytest.raises(InputError, match=r"decays \[0.5, 0.99\] of past weights \(expected one for all\)"):
        build_module(tiny_backbone, tasks=TASKS, regularizer=two)


def test_a_second_training_of_a_module_begins_anew(tiny_backbone, cs224n_root, tmp_path):
    module, _, trainer = fit(tiny_backbone, cs224n_root, tmp_path / "first")
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(1.5)
    watcher = Watcher()
    make_trainer(tmp_path, watcher, max_steps=2).fit(module, datamodule=trainer.datamodule)
    assert watcher.added[0] == 0.0
