from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.loggers.logger import DummyLogger
from torch import Tensor

from backbones import Pals
from backbones.digest import digest_weights
from callbacks import ConflictMonitor, StepSeed
from datamodules import MultitaskDataModule
from lightning_modules import MultitaskModule
from tasks import InputError
from tests.tiny import TASKS, build_module, make_trainer, open_data

LAYERS = ["all", "embeddings", "layer_0", "layer_1", "pooler"]
PAIRS = ["sst-quora", "sst-sts", "quora-sts"]


@pytest.fixture
def data(tiny_backbone: Path, cs224n_root: Path, tmp_path: Path) -> MultitaskDataModule:
    return open_data(tiny_backbone, cs224n_root, tmp_path)


class Log(DummyLogger):
    """A logger that keeps the monitor's points."""

    def __init__(self) -> None:
        super().__init__()
        self.points: dict[int, dict[str, float]] = {}

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        found = {name: value for name, value in metrics.items() if name.startswith("conflicts/")}
        if found:
            self.points[step] = found


def train(
    backbone: Path, data: MultitaskDataModule, folder: Path, *callbacks: Any, **settings: Any
) -> tuple[MultitaskModule, dict[int, dict[str, float]]]:
    torch.manual_seed(0)
    module, log = build_module(backbone, tasks=data.tasks, **settings.pop("module", {})), Log()
    make_trainer(folder, StepSeed(1), *callbacks, logger=log, **settings).fit(module, datamodule=data)
    return module, log.points


def flat_gradient(module: MultitaskModule, batch: Any, part: str) -> Tensor:
    weights = [weight for name, weight in module.backbone.named_parameters() if part in name]
    loss = module.heads[batch.task].loss(module(batch), batch.labels)
    return torch.cat([gradient.flatten() for gradient in torch.autograd.grad(loss, weights)])


def test_cosines_and_norm_ratios_are_those_of_whole_gradients(tiny_backbone, data, tmp_path):
    monitor = ConflictMonitor(every_n_steps=4, examples=5)
    module, points = train(tiny_backbone, data, tmp_path, monitor, max_steps=4)
    assert list(points) == [4]
    assert len(points[4]) == 2 * len(LAYERS) * len(PAIRS)
    assert {task: len(probe.rows) for task, probe in monitor._probes.items()} == dict.fromkeys(TASKS, 5)
    module.eval()
    parts = {"all": "", "embeddings": "embeddings", "layer_1": "layer.1.", "pooler": "pooler"}
    for layer, part in parts.items():
        first, second = (flat_gradient(module, monitor._probes[task], part) for task in ("sst", "sts"))
        cosine = torch.nn.functional.cosine_similarity(first, second, dim=0).item()
        assert points[4][f"conflicts/sst-sts/cosine/{layer}"] == pytest.approx(cosine, abs=1e-5)
        ratio = (first.norm() / second.norm()).item()
        assert points[4][f"conflicts/sst-sts/norm_ratio/{layer}"] == pytest.approx(ratio, rel=1e-4)


@pytest.mark.parametrize("settings", [{}, {"accumulate_grad_batches": 2, "gradient_clip_val": 0.1}])
def test_the_training_is_the_same_with_and_without_it(settings, tiny_backbone, data, tmp_path):
    alone, _ = train(tiny_backbone, data, tmp_path, max_epochs=2, **settings)
    watched, points = train(tiny_backbone, data, tmp_path, ConflictMonitor(1), max_epochs=2, **settings)
    assert len(points) == (18 if not settings else 10)
    assert digest_weights(alone) == digest_weights(watched)


def test_the_summary_counts_conflicts(tiny_backbone, data, tmp_path):
    monitor = ConflictMonitor(every_n_steps=3)
    _, points = train(tiny_backbone, data, tmp_path, monitor, max_epochs=2)
    assert list(points) == [3, 6, 9, 12, 15, 18]
    summary = monitor.summarize()
    assert list(summary) == PAIRS
    for pair, found in summary.items():
        cosines = [point[f"conflicts/{pair}/cosine/all"] for point in points.values()]
        assert found["probes"] == 6
        assert found["conflicting"] == sum(cosine < 0 for cosine in cosines) / 6
        assert found["mean_cosine"] == pytest.approx(sum(cosines) / 6)
        assert list(found["conflicting_by_layer"]) == LAYERS[1:]


def test_a_resting_backbone_is_not_probed(tiny_backbone, data, tmp_path):
    monitor = ConflictMonitor(every_n_steps=3)
    _, points = train(tiny_backbone, data, tmp_path, monitor, max_epochs=2, module={"linear_probe_epochs": 1})
    assert list(points) == [12, 15, 18]
    assert {found["probes"] for found in monitor.summarize().values()} == {3}


def test_a_task_that_trains_its_head_only_is_left_out(tiny_backbone, cs224n_root, tmp_path):
    tasks = {**TASKS, "sts": replace(TASKS["sts"], head_only_from=1)}
    data = open_data(tiny_backbone, cs224n_root, tmp_path, tasks=tasks)
    monitor = ConflictMonitor(every_n_steps=3)
    train(tiny_backbone, data, tmp_path, monitor, max_epochs=2)
    assert {pair: found["probes"] for pair, found in monitor.summarize().items()} == {
        "sst-quora": 6,
        "sst-sts": 3,
        "quora-sts": 3,
    }


def test_counts_go_on_after_a_resume():
    first, second = ConflictMonitor(2), ConflictMonitor(2)
    first._sums, first._last_step = {"a-b": {"all": [4, 1, 0.5], "pooler": [4, 2, -1.0]}}, 8
    second.load_state_dict(first.state_dict())
    assert second.state_dict() == first.state_dict()
    assert second.summarize() == {
        "a-b": {"probes": 4, "conflicting": 0.25, "mean_cosine": 0.125, "conflicting_by_layer": {"pooler": 0.5}}
    }


def test_off_it_does_nothing_and_keeps_nothing(tiny_backbone, data, tmp_path):
    monitor = ConflictMonitor()
    _, points = train(tiny_backbone, data, tmp_path, monitor, max_steps=2)
    assert (points, monitor.state_dict(), monitor.summarize()) == ({}, {}, {})


def test_a_single_task_and_a_frozen_backbone_are_refused(tiny_backbone, cs224n_root, data, tmp_path):
    single = open_data(tiny_backbone, cs224n_root, tmp_path, tasks={"sst": TASKS["sst"]})
    frozen = build_module(tiny_backbone, freeze_backbone=True)
    apart = build_module(tiny_backbone, adapter=Pals(frozen=True, size=8, num_heads=2))
    for module, its_data in ((build_module(tiny_backbone, tasks=single.tasks), single), (frozen, data), (apart, data)):
        with pytest.raises(InputError, match=r"conflicts.every_n_steps: needs two tasks or more and a backbone that"):
            make_trainer(tmp_path, ConflictMonitor(1)).fit(module, datamodule=its_data)


def test_numbers_out_of_range_are_refused():
    with pytest.raises(InputError, match=r"conflicts.examples is 0 \(expected 1 or more\)"):
        ConflictMonitor(2, examples=0)
    with pytest.raises(InputError, match=r"conflicts.every_n_steps is -1 \(expected 0 or more\)"):
        ConflictMonitor(-1)
