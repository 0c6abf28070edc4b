"""Accumulation windows of which some batches have no masked token, and steps that are left out."""

from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch

from callbacks import LossGuard, TaskLosses
from datamodules import CorpusSettings, MaskedLMDataModule, Masking
from lightning_modules import MaskedLMModule, OptimizerSettings
from tasks import Quora, Sst
from tests.tiny import make_trainer


@pytest.fixture
def data(tiny_backbone: Path, cs224n_root: Path, tmp_path: Path) -> MaskedLMDataModule:
    """Batches of one row, most of them without a masked token."""
    return MaskedLMDataModule(
        str(tiny_backbone),
        tasks={"sst": Sst(), "quora": Quora()},
        corpus=CorpusSettings(held_out=0.3),
        masking=Masking(probability=0.1),
        root=str(cs224n_root),
        cache_dir=str(tmp_path / "cache"),
        batch_size=1,
    )


def build_module(backbone: Path) -> MaskedLMModule:
    torch.manual_seed(0)
    module = MaskedLMModule(str(backbone), optimizer=OptimizerSettings(lr=0.0))
    for part in module.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
    return module


def count_masked(data: MaskedLMDataModule) -> list[Any]:
    data.prepare_data()
    data.setup("fit")
    return list(data.train_dataloader())


def test_a_window_is_the_mean_over_its_masked_tokens_though_some_batches_have_none(
    data: MaskedLMDataModule, tiny_backbone: Path, tmp_path: Path
) -> None:
    batches = count_masked(data)
    counts = [batch.targets.numel() for batch in batches]
    size = next(n for n in range(3, len(counts)) if sum(counts[:n]) > 1 and counts[:n].count(0) > 1)
    batches = batches[:size]
    found: dict[str, torch.Tensor] = {}

    class Watch(L.Callback):
        def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:
            found.update({n: w.grad.clone() for n, w in pl_module.named_parameters() if w.grad is not None})

    module = build_module(tiny_backbone)
    settings = {"accumulate_grad_batches": size, "limit_train_batches": size, "limit_val_batches": 0}
    trainer = make_trainer(tmp_path, Watch(), **settings)
    trainer.fit(module, datamodule=data)
    assert trainer.global_step == 1

    module.zero_grad()
    sums = [torch.nn.functional.cross_entropy(module(batch), batch.targets, reduction="sum") for batch in batches]
    (torch.stack(sums).sum() / sum(counts[:size])).backward()
    for name, weight in module.named_parameters():
        if weight.grad is not None:
            torch.testing.assert_close(found[name], weight.grad, rtol=1e-3, atol=1e-6, msg=name)


def test_a_window_without_any_masked_token_has_gradients_of_0(
    data: MaskedLMDataModule, tiny_backbone: Path, tmp_path: Path
) -> None:
    data.masking = Masking(probability=1e-9)
    module = build_module(tiny_backbone)
    trainer = make_trainer(tmp_path, accumulate_grad_batches=2, limit_train_batches=2, limit_val_batches=0)
    trainer.fit(module, datamodule=data)
    gradients = [weight.grad for weight in module.parameters() if weight.grad is not None]
    assert gradients
    assert not any(gradient.any() or gradient.isnan().any() for gradient in gradients)


def test_a_step_that_the_guard_leaves_out_is_left_out_of_an_accumulated_training(
    data: MaskedLMDataModule, tiny_backbone: Path, tmp_path: Path
) -> None:
    class Spoil(L.Callback):
        def on_after_backward(self, trainer: L.Trainer, pl_module: Any) -> None:
            if trainer.fit_loop.epoch_loop.batch_idx == 3:
                pl_module.head.bias.grad[0] = torch.nan

    guard, module = LossGuard(skip_limit=1), build_module(tiny_backbone)
    settings = {"accumulate_grad_batches": 2, "limit_train_batches": 6, "limit_val_batches": 0}
    trainer = make_trainer(tmp_path, Spoil(), guard, **settings)
    trainer.fit(module, datamodule=data)
    assert (guard.skipped, trainer.global_step) == (1, 3)
    assert all(weight.isfinite().all() for weight in module.parameters())


def test_the_logged_loss_is_the_mean_over_masked_tokens(
    data: MaskedLMDataModule, tiny_backbone: Path, tmp_path: Path
) -> None:
    batches, module, losses = count_masked(data), build_module(tiny_backbone), TaskLosses()
    assert 0 < [batch.targets.numel() for batch in batches].count(0) < len(batches)
    trainer = make_trainer(tmp_path, losses, log_every_n_steps=0, limit_val_batches=0)
    trainer.fit(module, datamodule=data)
    with torch.no_grad():
        sums = [torch.nn.functional.cross_entropy(module(batch), batch.targets, reduction="sum") for batch in batches]
    mean = float(torch.stack(sums).sum()) / sum(batch.targets.numel() for batch in batches)
    assert losses.latest["mlm"] == pytest.approx(mean, rel=1e-4)
