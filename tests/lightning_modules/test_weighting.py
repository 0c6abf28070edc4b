from functools import partial
from pathlib import Path

import pytest
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from datamodules import MultitaskDataModule, RoundRobin
from lightning_modules import MultitaskModule, OptimizerSettings
from objectives import DynamicWeightAverage, RandomWeights, StepId, Uncertainty
from tasks import Quora, Sst, Sts
from tests.tiny import build_module, make_trainer, open_data, train_batches

TASKS = {"sst": Sst(weight=0.5), "quora": Quora(), "sts": Sts(encoding="bi")}


@pytest.fixture
def data(tiny_backbone: Path, cs224n_root: Path, tmp_path: Path) -> MultitaskDataModule:
    return open_data(tiny_backbone, cs224n_root, tmp_path, tasks=TASKS, schedule=RoundRobin(), seed=5)


def test_the_weighting_acts_between_the_loss_and_the_tasks_own_weight(tiny_backbone, data):
    module = build_module(tiny_backbone, tasks=TASKS, weighting=partial(Uncertainty, lr=0.1))
    module.weighting.log_variances["sst"].data.fill_(1.0)
    result = module.training_step(train_batches(data)["sst"], 0)
    expected = 0.5 * ((-torch.tensor(1.0)).exp() * result["task_loss"] + 0.5)
    assert result["loss"].item() == pytest.approx(expected.item(), rel=1e-6)


def test_log_variances_are_learnt_at_their_own_rate_without_decay(tiny_backbone, data, tmp_path):
    settings = OptimizerSettings(lr=1e-4, weight_decay=0.5, schedule="linear", warmup=0.0)
    module = build_module(tiny_backbone, tasks=TASKS, weighting=partial(Uncertainty, lr=0.1), optimizer=settings)
    trainer = make_trainer(tmp_path, max_steps=9)
    trainer.fit(module, datamodule=data)
    group = trainer.optimizers[0].param_groups[-1]
    assert (group["initial_lr"], group["weight_decay"], len(group["params"])) == (0.1, 0.0, 3)
    assert all(0.05 < parameter.abs().item() < 0.5 for parameter in module.weighting.parameters())


def test_a_windows_batches_share_their_random_weights(tiny_backbone, data, tmp_path):
    module = build_module(tiny_backbone, tasks=TASKS, weighting=RandomWeights, seed=5)
    asked: list[StepId] = []
    module.weighting.register_forward_pre_hook(lambda _, arguments: asked.append(arguments[1]))
    make_trainer(tmp_path, accumulate_grad_batches=3, max_epochs=2).fit(module, datamodule=data)
    assert asked == [StepId(5, epoch, step) for epoch in (0, 1) for step in (0, 1, 2) for _ in range(3)]


def test_the_epochs_mean_losses_are_followed(tiny_backbone, data, tmp_path):
    losses: dict[str, list[float]] = {task: [] for task in TASKS}

    class Watched(MultitaskModule):
        def training_step(self, batch, batch_idx):
            result = super().training_step(batch, batch_idx)
            losses[batch.task].append(result["task_loss"].item())
            return result

    module = Watched(TASKS, str(tiny_backbone), weighting=DynamicWeightAverage)
    make_trainer(tmp_path, max_epochs=3).fit(module, datamodule=data)
    means = torch.tensor([[sum(found[e * 3 : e * 3 + 3]) / 3 for found in losses.values()] for e in range(3)])
    module.weighting.factors(StepId(epoch=3))
    torch.testing.assert_close(module.weighting.history[2:], torch.stack([means[2], means[1]]))


@pytest.mark.parametrize("weighting", [partial(Uncertainty, lr=0.5), partial(DynamicWeightAverage, temperature=1.0)])
def test_a_checkpoint_keeps_the_weighting(weighting, tiny_backbone, data, tmp_path):
    module = build_module(tiny_backbone, tasks=TASKS, weighting=weighting)
    trainer = make_trainer(tmp_path, max_steps=5)
    trainer.fit(module, datamodule=data)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    loaded = MultitaskModule.load_from_checkpoint(tmp_path / "last.ckpt")
    assert type(loaded.weighting) is type(module.weighting)
    state = module.weighting.state_dict()
    assert any(tensor.abs().sum() > 0 for tensor in state.values())
    assert all(torch.equal(tensor, state[name]) for name, tensor in loaded.weighting.state_dict().items())


@pytest.mark.parametrize("window", [1, 3])
def test_the_weights_are_logged_once_every_few_steps(window, tiny_backbone, data, tmp_path):
    module = build_module(tiny_backbone, tasks=TASKS, weighting=RandomWeights, seed=5)
    logger = TensorBoardLogger(tmp_path, name="run")
    make_trainer(tmp_path, logger=logger, log_every_n_steps=2, accumulate_grad_batches=window).fit(
        module, datamodule=data
    )
    events = EventAccumulator(logger.log_dir).Reload()
    steps = range(2, 9 // window + 1, 2)
    for task in TASKS:
        found = [(point.step, point.value) for point in events.Scalars(f"train/{task}/weight")]
        weights = [module.weighting.factors(StepId(5, 0, step - 1))[task].item() for step in steps]
        assert found == [(step, pytest.approx(weight)) for step, weight in zip(steps, weights, strict=True)]


def test_fixed_weights_are_not_logged(tiny_backbone, data, tmp_path):
    logger = TensorBoardLogger(tmp_path, name="run")
    module = build_module(tiny_backbone, tasks=TASKS)
    make_trainer(tmp_path, logger=logger, log_every_n_steps=1, max_steps=2).fit(module, datamodule=data)
    tags = EventAccumulator(logger.log_dir).Reload().Tags()["scalars"]
    assert not [tag for tag in tags if tag.endswith("/weight")]
