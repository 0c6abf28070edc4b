from functools import partial
from typing import Any

import lightning.pytorch as L
import pytest
import torch
from torch import nn

from heads import LinearHead
from lightning_modules.accumulation import WindowMean
from tasks import Sst
from tests.tiny import STEPS_AN_EPOCH, build_module, make_trainer, open_data


def settle(window: WindowMean, gradients: list[float]) -> list[float]:
    """Return gradients as the window leaves them."""
    weights = [nn.Parameter(torch.zeros(1)) for _ in gradients]
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = torch.tensor([gradient])
    window.settle(weights)
    return [float(weight.grad) for weight in weights if weight.grad is not None]


@pytest.mark.parametrize("amounts", [[1.0, 1.0, 1.0, 1.0], [1.0, 0.25], [0.5], [3.0, 1.0, 4.0]])
@pytest.mark.parametrize("as_tensors", [False, True])
def test_a_window_is_the_mean_over_all_that_it_holds(amounts, as_tensors):
    window, means = WindowMean(), [2.0, 6.0, 1.0, 5.0][: len(amounts)]
    for _ in range(2):  # the first window leaves nothing to the next
        shares = [
            window.share(4, batch, torch.tensor(amount) if as_tensors else amount)
            for batch, amount in enumerate(amounts)
        ]
        summed = sum(float(share) * mean / 4 for share, mean in zip(shares, means, strict=True))  # 4: Lightning's
        expected = sum(a * m for a, m in zip(amounts, means, strict=True)) / sum(amounts)
        assert settle(window, [summed, 0.0]) == pytest.approx([expected, 0.0])


def test_without_accumulation_nothing_is_scaled():
    window = WindowMean()
    assert window.share(1, 9, 0.5) == 1.0
    assert settle(window, [3.0]) == [3.0]


@pytest.mark.parametrize("batch_size", [4, 5])
def test_an_accumulated_window_equals_one_batch_of_its_rows(batch_size, tiny_backbone, cs224n_root, tmp_path):
    tasks = {"sst": Sst(head=partial(LinearHead, dropout=0.0))}

    def gradients(**settings: Any) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        data = open_data(tiny_backbone, cs224n_root, tmp_path, tasks=tasks, batch_size=settings.pop("rows"))
        module = build_module(tiny_backbone, tasks=tasks)
        for part in module.modules():
            if isinstance(part, nn.Dropout):
                part.p = 0.0
        found = {}

        class Watch(L.Callback):
            def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:
                found.update({n: w.grad.clone() for n, w in pl_module.named_parameters() if w.grad is not None})

        trainer = make_trainer(tmp_path, Watch(), max_epochs=1, **settings)
        trainer.fit(module, datamodule=data)
        assert trainer.global_step == 1
        return found

    whole = gradients(rows=12)
    parts = gradients(rows=batch_size, accumulate_grad_batches=3)
    assert whole.keys() == parts.keys()
    for name, gradient in whole.items():
        torch.testing.assert_close(parts[name], gradient, rtol=1e-4, atol=1e-6, msg=name)


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
