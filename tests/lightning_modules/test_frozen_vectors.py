import shutil
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch

from lightning_modules.frozen_vectors import FrozenVectors
from tasks import Quora, Sst, Sts, Task
from tests.tiny import build_module, make_trainer, open_data

TASKS: dict[str, Task] = {"sst": Sst(), "quora": Quora(), "sts": Sts(encoding="bi")}


def fit_frozen(backbone: Path, root: Path, folder: Path, *, cached: bool):
    data = open_data(backbone, root, folder / "cache", tasks=TASKS)
    torch.manual_seed(0)
    module = build_module(backbone, tasks=TASKS, freeze_backbone=True, cache_vectors=cached).double()
    for head in module.heads.values():
        head.dropout.p = 0.0
    calls = []
    module.backbone.register_forward_hook(lambda *_: calls.append(1))
    trainer = make_trainer(folder, max_epochs=3)
    trainer.fit(module, datamodule=data)
    return module, trainer, len(calls)


def test_cached_vectors_train_the_same_heads_and_score_the_same(tiny_backbone, cs224n_root, tmp_path):
    cached, cached_trainer, cached_calls = fit_frozen(tiny_backbone, cs224n_root, tmp_path, cached=True)
    plain, plain_trainer, plain_calls = fit_frozen(tiny_backbone, cs224n_root, tmp_path, cached=False)
    assert cached_calls < plain_calls / 3
    for name, weights in plain.state_dict().items():  # in float64: near-equal vectors make Adam magnify rounding
        torch.testing.assert_close(cached.state_dict()[name], weights, atol=1e-6, rtol=1e-5)
    for name, value in plain_trainer.callback_metrics.items():
        assert float(cached_trainer.callback_metrics[name]) == pytest.approx(float(value), abs=1e-4)


def test_cached_vectors_are_the_backbones_own(tiny_backbone, cs224n_root, tmp_path):
    data = open_data(tiny_backbone, cs224n_root, tmp_path, tasks=TASKS)
    data.prepare_data()
    data.setup("fit")
    backbone = build_module(tiny_backbone, tasks=TASKS, freeze_backbone=True).backbone
    vectors = FrozenVectors(backbone, data.stores, tokens_per_batch=64, device=torch.device("cpu"))
    seen = set()
    for batch in data.train_dataloader():
        expected = backbone(batch.tokens).view(len(batch.ids), TASKS[batch.task].num_sequences, -1)
        torch.testing.assert_close(vectors.look_up("train", batch.task, batch.rows), expected, atol=1e-6, rtol=1e-5)
        seen.add(batch.task)
    assert seen == set(TASKS)


def test_a_trained_backbone_is_never_cached(tiny_backbone, cs224n_root, tmp_path):
    data = open_data(tiny_backbone, cs224n_root, tmp_path, tasks=TASKS)
    module = build_module(tiny_backbone, tasks=TASKS)
    module.trainer = make_trainer(tmp_path)
    module.on_fit_start()
    assert module._frozen_vectors is None
    assert data.stores == {}


@pytest.mark.parametrize("precision", ["bf16-mixed", "64-true"])
def test_a_fit_with_cached_vectors_validates_as_a_validation_does(precision, tiny_backbone, cs224n_root, tmp_path):
    data = open_data(tiny_backbone, cs224n_root, tmp_path, tasks=TASKS)
    module = build_module(tiny_backbone, tasks=TASKS, freeze_backbone=True)
    trainer = make_trainer(tmp_path, precision=precision)
    trainer.fit(module, datamodule=data)
    fitted = {name: float(value) for name, value in trainer.callback_metrics.items()}
    validated = trainer.validate(module, datamodule=data, verbose=False)[0]
    for name, value in validated.items():
        assert fitted[name] == pytest.approx(value, abs=1e-6), name


class Failure(L.Callback):
    """Fails at the third batch."""

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if batch_idx == 2:
            raise RuntimeError("failed on purpose")


@pytest.mark.parametrize("settings", [{"freeze_backbone": True}, {"linear_probe_epochs": 1}], ids=str)
def test_a_fit_that_failed_leaves_no_vectors_to_other_data(settings, tiny_backbone, cs224n_root, tmp_path):
    other = shutil.copytree(cs224n_root, tmp_path / "other")
    for name in ("ids-sst", "quora", "sts"):
        shutil.copy(other / f"{name}-train.csv", other / f"{name}-dev.csv")
    module = build_module(tiny_backbone, tasks=TASKS, **settings)
    with pytest.raises(RuntimeError, match="on purpose"):
        make_trainer(tmp_path, Failure(), max_epochs=2).fit(
            module, datamodule=open_data(tiny_backbone, cs224n_root, tmp_path / "cache", tasks=TASKS)
        )
    fresh = build_module(tiny_backbone, tasks=TASKS)
    fresh.load_state_dict(module.state_dict())
    data = open_data(tiny_backbone, other, tmp_path / "cache", tasks=TASKS)
    found, expected = (make_trainer(tmp_path).validate(m, datamodule=data, verbose=False)[0] for m in (module, fresh))
    assert found == pytest.approx(expected, abs=1e-6)
    assert module._frozen_vectors is None
    assert module.backbone.frozen == ("freeze_backbone" in settings)
