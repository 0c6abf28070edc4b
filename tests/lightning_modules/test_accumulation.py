from pathlib import Path

import pytest
import torch
from torch import nn

from lightning_modules.accumulation import window_scale
from tests.tiny import STEPS_AN_EPOCH, build_module, make_trainer, open_data


def test_the_last_short_window_counts_like_a_whole_one():
    trainer = make_trainer(Path(), accumulate_grad_batches=4)
    trainer.fit_loop.max_batches = 10
    assert [window_scale(trainer, batch) for batch in range(10)] == [1.0] * 8 + [2.0] * 2


def test_without_accumulation_or_trainer_nothing_is_scaled():
    trainer = make_trainer(Path())
    trainer.fit_loop.max_batches = 10
    assert window_scale(trainer, 9) == window_scale(None, 9) == 1.0


def test_accumulated_gradients_are_means_over_each_windows_batches(tiny_backbone, cs224n_root, tmp_path):
    data = open_data(tiny_backbone, cs224n_root, tmp_path)
    window = 4  # nine batches: windows of four, four and one

    class Sgd(type(build_module(tiny_backbone))):
        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    def build() -> Sgd:
        torch.manual_seed(0)
        module = Sgd(data.tasks, str(tiny_backbone))
        for part in module.modules():
            if isinstance(part, nn.Dropout):
                part.p = 0.0
        return module

    module = build()
    make_trainer(tmp_path, accumulate_grad_batches=window).fit(module, datamodule=data)
    expected = build()
    optimizer = torch.optim.SGD(expected.parameters(), lr=0.1)
    batches = list(data.train_dataloader())
    assert len(batches) == STEPS_AN_EPOCH
    for start in range(0, len(batches), window):
        part = batches[start : start + window]
        optimizer.zero_grad()
        torch.stack([expected.heads[b.task].loss(expected(b), b.labels) for b in part]).mean().backward()
        optimizer.step()
    for name, weights in expected.state_dict().items():
        torch.testing.assert_close(module.state_dict()[name], weights, atol=1e-6, rtol=1e-5)
    with pytest.raises(AssertionError):
        torch.testing.assert_close(build().state_dict(), expected.state_dict(), atol=1e-6, rtol=1e-5)
