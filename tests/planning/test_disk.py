"""The bytes that a plan expects, against the checkpoint that a training writes."""

import pytest

from callbacks import BestCheckpoint, ReduceShareOnPlateau, ResumableCheckpoint
from lightning_modules import OptimizerSettings
from objectives import BregmanProximalPoint
from planning.disk import Kept, expect_disk
from planning.making import make_plan
from tasks import Sst, Sts, Task
from tests.planning.test_plan import OPTIONS
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


def test_each_task_has_a_file_of_its_best_weights_also_where_tasks_share_their_rows(
    tiny_backbone, cs224n_root, tmp_path
):
    tasks: dict[str, Task] = {"one": Sst(), "two": Sst(), "sts": Sts()}
    data = open_data(tiny_backbone, cs224n_root, tmp_path, tasks=tasks)
    settings = {
        "trainer": OPTIONS,
        "checkpoint": ResumableCheckpoint(0),
        "best_checkpoint": BestCheckpoint(monitor="val/mean", save_weights_only=True, save_top_k=0),
        "best_checkpoint_per_task": True,
        "averaging": None,
        "plateau": ReduceShareOnPlateau(),
    }
    module = build_module(tiny_backbone, tasks=tasks)
    plan, _ = make_plan("mine", data, lambda: module, settings, time=0, passes=10.0)
    assert list(plan.tasks) == ["one+two", "sts"]
    assert plan.disk.best == 3 * sum(value.nbytes for value in module.state_dict().values())
