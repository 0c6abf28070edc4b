"""The bytes that a plan expects, against the checkpoint that a training writes."""

import pytest

from callbacks import ResumableCheckpoint
from lightning_modules import OptimizerSettings
from objectives import BregmanProximalPoint
from planning.disk import Kept, expect_disk
from tests.tiny import build_module, make_trainer, open_data

NAMES_AND_LOOPS = 1.05  # what a checkpoint of a tiny model holds beside its numbers, at most


@pytest.mark.parametrize("regularizer", [None, BregmanProximalPoint()], ids=["plain", "past weights"])
def test_the_last_checkpoint_has_the_bytes_that_are_expected(regularizer, tiny_backbone, cs224n_root, tmp_path):
    settings = {"optimizer": OptimizerSettings(lr=1e-3, schedule="constant", warmup=0.0), "regularizer": regularizer}
    module = build_module(tiny_backbone, **settings)
    expected = expect_disk(module, Kept(), validations=1)
    data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache")
    trainer = make_trainer(tmp_path, ResumableCheckpoint(0), max_steps=9, enable_checkpointing=True)
    trainer.fit(module, datamodule=data)
    (path,) = tmp_path.rglob("last.ckpt")
    assert expected.last < path.stat().st_size < expected.last * NAMES_AND_LOOPS
