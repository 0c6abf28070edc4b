from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from backbones import Pals
from callbacks import LossGuard
from datamodules import Joint, MultitaskDataModule, RoundRobin
from heads import TrunkSettings
from lightning_modules import MultitaskModule
from objectives import PcGrad, StepId, Surgery, UpGrad
from objectives.surgery import compute_gram
from tasks import InputError, Quora, Sst, Sts
from tests.tiny import build_module, make_trainer, open_data

TASKS = {"sst": Sst(weight=0.5), "quora": Quora(), "sts": Sts(encoding="bi")}


class Sgd(MultitaskModule):
    """With plain gradient descent, so that weights show gradients, and without dropout."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        for part in self.modules():
            if isinstance(part, nn.Dropout):
                part.p = 0.0
        for layer in self.backbone.bert.encoder.layer:
            layer.attention.self.dropout.p = 0.0

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.3)


def build(backbone: Path, surgery: Surgery | None, trunk: TrunkSettings | None = None) -> Sgd:
    torch.manual_seed(0)
    return Sgd(TASKS, str(backbone), surgery=surgery, trunk=trunk, seed=3)


@pytest.fixture
def data(tiny_backbone: Path, cs224n_root: Path, tmp_path: Path) -> MultitaskDataModule:
    return open_data(tiny_backbone, cs224n_root, tmp_path, tasks=TASKS, schedule=Joint(), seed=3)


def train_plainly(module: Sgd, data: MultitaskDataModule, surgery: Surgery | None, *, windows: int, size: int) -> None:
    """Train with surgery written down step by step."""
    data.prepare_data()
    data.setup("fit")
    batches = list(data.train_dataloader())
    for window in range(windows):
        by_task: dict[str, list[Tensor]] = {}
        module.zero_grad()
        for batch in batches[window * size : (window + 1) * size]:
            loss = TASKS[batch.task].weight * module.heads[batch.task].loss(module(batch), batch.labels) / size
            shared = [*module.backbone.parameters(), *(module.trunk.parameters() if module.trunk else ())]
            heads = list(module.heads[batch.task].parameters())
            found = torch.autograd.grad(loss, [*shared, *heads])
            known = by_task.setdefault(batch.task, [torch.zeros_like(weight) for weight in shared])
            by_task[batch.task] = [one + other for one, other in zip(known, found, strict=False)]
            for weight, gradient in zip(heads, found[len(shared) :], strict=True):
                weight.grad = gradient if weight.grad is None else weight.grad + gradient
        gradients = list(by_task.values())
        factors = torch.ones(len(gradients))
        if surgery is not None:
            factors = surgery.coefficients(compute_gram(gradients), StepId(3, 0, window)).float()
        for place, weight in enumerate(shared):
            weight.grad = sum(factor * task[place] for factor, task in zip(factors, gradients, strict=True))
        module.configure_optimizers().step()


@pytest.mark.parametrize("surgery", [PcGrad(), UpGrad(), None])
@pytest.mark.parametrize("size", [3, 6])
def test_a_training_is_that_of_surgery_written_down_step_by_step(surgery, size, tiny_backbone, data, tmp_path):
    module, expected = build(tiny_backbone, surgery), build(tiny_backbone, surgery)
    make_trainer(tmp_path, accumulate_grad_batches=size, max_steps=9 // size).fit(module, datamodule=data)
    train_plainly(expected, data, surgery, windows=9 // size, size=size)
    for name, tensor in expected.state_dict().items():
        torch.testing.assert_close(
            module.state_dict()[name], tensor, atol=5e-5, rtol=1e-4, msg=lambda text, name=name: f"{name}: {text}"
        )
    if surgery is not None:
        plain = build(tiny_backbone, None)
        train_plainly(plain, data, None, windows=9 // size, size=size)
        with pytest.raises(AssertionError):
            torch.testing.assert_close(plain.state_dict(), expected.state_dict(), atol=5e-5, rtol=1e-4)


def test_surgery_comes_before_clipping(tiny_backbone, data, tmp_path):
    norms = []

    class Watched(Sgd):
        def on_before_optimizer_step(self, optimizer):
            norms.append(torch.stack([w.grad.norm() for w in self.parameters() if w.grad is not None]).norm().item())

        def optimizer_zero_grad(self, *arguments):
            found = [w.grad.norm() for w in self.parameters() if w.grad is not None]
            norms.append(torch.stack(found).norm().item() if found else 0.0)
            super().optimizer_zero_grad(*arguments)

    module = Watched(TASKS, str(tiny_backbone), surgery=PcGrad())
    make_trainer(tmp_path, accumulate_grad_batches=3, max_steps=2, gradient_clip_val=0.01).fit(module, datamodule=data)
    start, before_clipping, after_clipping, _ = norms
    assert start == 0.0
    assert before_clipping > 0.1
    assert after_clipping == pytest.approx(0.01, rel=1e-3)


def test_a_step_with_a_bad_gradient_is_left_out_whole(tiny_backbone, data, tmp_path):
    class Broken(Sgd):
        def training_step(self, batch, batch_idx):
            result = super().training_step(batch, batch_idx)
            return {**result, "loss": result["loss"] * (torch.inf if batch_idx == 1 else 1.0)}

    module = Broken(TASKS, str(tiny_backbone), surgery=UpGrad())
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    guard = LossGuard(skip_limit=1)
    make_trainer(tmp_path, guard, accumulate_grad_batches=3, max_steps=1).fit(module, datamodule=data)
    assert guard.skipped == 1
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items() if "_met" not in name)


def test_one_batch_a_step_is_refused(tiny_backbone, data, tmp_path):
    data.schedule = RoundRobin()
    with pytest.raises(InputError, match="PcGrad compares the tasks of an optimiser step, but each has one batch"):
        make_trainer(tmp_path).fit(build(tiny_backbone, PcGrad()), datamodule=data)


def test_a_frozen_backbone_is_refused(tiny_backbone, data, tmp_path):
    module = build_module(tiny_backbone, tasks=TASKS, surgery=UpGrad(), freeze_backbone=True)
    with pytest.raises(InputError, match="UpGrad joins gradients of the backbone, but freeze_backbone is true"):
        make_trainer(tmp_path, accumulate_grad_batches=3).fit(module, datamodule=data)


def test_a_window_that_is_no_multiple_of_the_tasks_is_refused(tiny_backbone, data, tmp_path):
    with pytest.raises(InputError, match=r"Joint: trainer.accumulate_grad_batches is 4 \(expected 3, one batch"):
        make_trainer(tmp_path, accumulate_grad_batches=4).fit(build(tiny_backbone, None), datamodule=data)


def test_steps_join_the_trunks_gradients_with_the_backbones(tiny_backbone, data, tmp_path):
    trunk = TrunkSettings(size=8, dropout=0.0)
    module, expected = build(tiny_backbone, UpGrad(), trunk), build(tiny_backbone, UpGrad(), trunk).double()
    trainer = make_trainer(tmp_path, accumulate_grad_batches=3, max_steps=3, precision="64-true")
    trainer.fit(module, datamodule=data)  # in float64, since later steps multiply what rounding does in float32
    train_plainly(expected, data, UpGrad(), windows=3, size=3)
    for name, weight in expected.named_parameters():  # 1e-8 apart; 1e-4 where the trunk is left out of the products
        torch.testing.assert_close(module.get_parameter(name), weight, atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize("frozen", TASKS)
def test_a_task_that_trains_its_head_only_takes_no_part(frozen, tiny_backbone, cs224n_root, tmp_path):
    tasks = {name: replace(task, head_only_from=0) if name == frozen else task for name, task in TASKS.items()}
    data = open_data(tiny_backbone, cs224n_root, tmp_path, tasks=tasks, schedule=Joint(), seed=3)
    others = {name: task for name, task in TASKS.items() if name != frozen}
    torch.manual_seed(0)
    module = Sgd(tasks, str(tiny_backbone), surgery=UpGrad())
    expected = Sgd(others, str(tiny_backbone), surgery=UpGrad())
    expected.load_state_dict({key: module.state_dict()[key] for key in expected.state_dict()})
    make_trainer(tmp_path, accumulate_grad_batches=3, max_steps=1).fit(module, datamodule=data)
    fewer = open_data(tiny_backbone, cs224n_root, tmp_path, tasks=others, schedule=Joint(), seed=3)
    make_trainer(tmp_path, accumulate_grad_batches=2, max_steps=1).fit(expected, datamodule=fewer)
    # Lightning divides by the batches of a window, three there and two here.
    start = Sgd(TASKS, str(tiny_backbone)).backbone.state_dict()
    for name, weight in module.backbone.named_parameters():
        moved, wanted = weight - start[name], expected.backbone.get_parameter(name) - start[name]
        torch.testing.assert_close(moved * 1.5, wanted, rtol=1e-3, atol=1e-6, msg=name)


def test_surgery_waits_for_the_end_of_a_linear_probe(tiny_backbone, data, tmp_path):
    module = build_module(tiny_backbone, tasks=TASKS, surgery=PcGrad(), linear_probe_epochs=1)
    start = {name: weight.clone() for name, weight in module.backbone.named_parameters()}
    make_trainer(tmp_path, accumulate_grad_batches=3, max_epochs=2, limit_train_batches=3).fit(module, datamodule=data)
    assert any(not torch.equal(weight, start[name]) for name, weight in module.backbone.named_parameters())


def test_surgery_without_shared_weights_is_refused(tiny_backbone, data, tmp_path):
    module = build_module(tiny_backbone, tasks=TASKS, surgery=PcGrad(), adapter=Pals(frozen=True, size=8, num_heads=2))
    with pytest.raises(InputError, match="PcGrad joins gradients of weights that the tasks share, but none of those"):
        make_trainer(tmp_path, accumulate_grad_batches=3).fit(module, datamodule=data)
