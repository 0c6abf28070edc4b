"""A run that was killed and continued ends as one that nothing interrupted: each process here is a real one."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.runs import Project
from tests.same_end import assert_same_end, resume_after_kill

Projects = Callable[..., Project]

EPOCH = 9  # steps: three tasks of twelve rows, five a batch
PLACES = (
    "train_batch_start:5",  # in the middle of an epoch
    "train_batch_end:7",
    "train_batch_end:9",  # the last step of an epoch, before its validation
    "validation_start:9",
    "validation_batch_end:9",
    "validation_end:18",  # before the checkpoint that falls due there
    "train_epoch_end:18",  # after it
    "train_epoch_start:9",
    "os.fsync:4",  # last.ckpt is written, but not on the disk
    "os.replace:4",  # and not in its place
    "train_batch_end:27",
)
ONE_VS_ALL = {"loss": {"class_path": "OneVsAll"}}
RANKING = [{"class_path": "MultipleNegativesRanking", "init_args": {"positive": 3}}, {"class_path": "SimCse"}]
ORDERS = {"swap": True, "average_orders": True}
VARIANTS: dict[str, dict[str, Any]] = {
    "workers": {"data.num_workers": 2},
    "accumulation": {"trainer.accumulate_grad_batches": 4, "checkpoint.every_n_train_steps": 1},
    "bf16": {"trainer.precision": "bf16-mixed", "trainer.gradient_clip_val": 1.0},
    "validation_at_a_checkpoint": {"trainer.val_check_interval": 5, "checkpoint.every_n_train_steps": 5},
    "validation_across_epochs": {
        "trainer.val_check_interval": 5,
        "trainer.check_val_every_n_epoch": None,
        "checkpoint.every_n_train_steps": 3,
    },
    "best_score_by_a_loss": {
        "best_checkpoint.monitor": "val/sts/loss",
        "best_checkpoint.mode": "min",
        "checkpoint.every_n_train_steps": 9,
    },
    "max_steps_inside_an_epoch": {"trainer.max_steps": 23, "checkpoint.every_n_train_steps": 3},
    "limited_epochs": {"trainer.limit_train_batches": 7, "trainer.limit_val_batches": 4},
    "validation_every_second_epoch": {"trainer.check_val_every_n_epoch": 2},
    "staged": {"data.schedule": {"class_path": "Staged", "init_args": {"first": "quora"}}},
    "annealed": {"data.schedule": "Annealed"},
    "pairs": {
        "tasks": {
            "sst": {"class_path": "Sst", "init_args": {"head": {"class_path": "LinearHead", "init_args": ONE_VS_ALL}}},
            "quora": {"class_path": "Quora", "init_args": {"swap": True, "average_orders": True}},
            "sts": {"class_path": "Sts", "init_args": {"encoding": "bi", "swap": True, "auxiliary": RANKING}},
        },
        "data.num_workers": 1,
    },
    "twins": {
        "tasks": {
            "quora": {"class_path": "Quora", "init_args": ORDERS},
            "quora_bi": {
                "class_path": "Quora",
                "init_args": {**ORDERS, "encoding": "bi", "in_mean": False, "teacher": {"task": "quora"}},
            },
            "sts": {"class_path": "Sts", "init_args": {"encoding": "bi", "auxiliary": RANKING}},
        }
    },
    "layer_decay": {"model.optimizer.layer_decay": 0.8},
    "ema": {"averaging": {"class_path": "Ema", "init_args": {"decay": 0.8}}, "best_checkpoint_per_task": True},
    "swa": {
        "averaging": {"class_path": "Swa", "init_args": {"start": 0.3, "every_n_steps": 2}},
        "trainer.accumulate_grad_batches": 2,
        "trainer.precision": "bf16-mixed",
        "checkpoint.every_n_train_steps": 1,
    },
}
VARIANTS["trunk"] = {
    "model.trunk": {"size": 8},
    "tasks": {
        "sst": {
            "class_path": "Sst",
            "init_args": {"head": {"class_path": "TrunkLinearHead", "init_args": {"trunk_size": 8}}},
        },
        "quora": {"class_path": "Quora", "init_args": {"head": "MlpHead"}},
        "sts": {
            "class_path": "Sts",
            "init_args": {
                "encoding": "bi",
                "head": {"class_path": "TrunkCosineHead", "init_args": {"trunk_size": 8}},
            },
        },
    },
}
VARIANTS["lora"] = {
    "model.adapter": {"class_path": "Lora", "init_args": {"dropout": 0.1}},
    "model.save_trainable_only": True,
    "averaging": "Ema",
    "trainer.precision": "bf16-mixed",
    "trainer.gradient_clip_val": 1.0,
}
VARIANTS["pals"] = {
    "model.adapter": {"class_path": "Pals", "init_args": {"num_heads": 2}},
    "trainer.accumulate_grad_batches": 2,
    "checkpoint.every_n_train_steps": 1,
}
VARIANTS["linear_probe"] = {"model.linear_probe_epochs": 1, "model.optimizer.layer_decay": 0.9}
VARIANTS["linear_probe_across_a_window"] = {
    "model.linear_probe_epochs": 2,
    "trainer.accumulate_grad_batches": 2,
    "trainer.precision": "bf16-mixed",
    "trainer.val_check_interval": 4,
    "checkpoint.every_n_train_steps": 1,
    "model.adapter": {"class_path": "Pals", "init_args": {"num_heads": 2}},
}
VARIANTS["head_only"] = {"tasks.sst": {"class_path": "Sst", "init_args": {"head_only_from": 1}}}
VARIANTS["reloaded_loaders"] = {"trainer.reload_dataloaders_every_n_epochs": 1}
VARIANTS["plateau"] = {
    "plateau": {"patience": 1, "factor": 0.5},
    "trainer.max_epochs": 4,
    "trainer.val_check_interval": 4,
    "checkpoint.every_n_train_steps": 3,
}


def test_a_killed_run_ends_as_the_whole_one(whole_run: Projects, tiny_project: Projects) -> None:
    project = tiny_project()

    version = resume_after_kill(project, "train_batch_end:7")

    assert len(project.trace(0)) == 7
    assert project.resumed_step(version) == 6
    assert_same_end(whole_run(), project, version)


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_a_run_killed_anywhere_ends_as_the_whole_one(whole_run: Projects, tiny_project: Projects, place: str) -> None:
    project = tiny_project()

    version = resume_after_kill(project, place)

    assert_same_end(whole_run(), project, version)


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_killed_run_ends_as_the_whole_one_under(whole_run: Projects, tiny_project: Projects, variant: str) -> None:
    changes = VARIANTS[variant]
    whole = whole_run(**changes)
    steps = whole.report(0)["steps"]
    before_validation = next(step for step in whole.validations(0) if step > 3)
    places = ["train_batch_end:3", f"validation_start:{before_validation}", f"train_batch_end:{steps - 1}"]
    project = tiny_project(**changes)

    version = resume_after_kill(project, *places)

    assert version == len(places)
    assert_same_end(whole, project, version)


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_as_the_whole_one(whole_run: Projects, tiny_project: Projects) -> None:
    project = tiny_project()

    version = resume_after_kill(
        project, "train_batch_end:4", "validation_end:9", "os.replace:3", "train_batch_start:26"
    )

    assert version == 4
    assert_same_end(whole_run(), project, version)


@pytest.mark.slow
@pytest.mark.parametrize("every", [2, 9])  # at the end, and before the last validation
def test_a_run_killed_when_nothing_is_left_to_train_still_reports(
    whole_run: Projects, tiny_project: Projects, every: int
) -> None:
    project = tiny_project(**{"checkpoint.every_n_train_steps": every})
    ended = project.run(PROBE="fit_end:27")
    assert ended.code == -signal.SIGKILL

    assert project.run("--ckpt_path", "last").code == 0

    whole = whole_run()
    assert project.trace(1) == []
    for key in ("weights_sha256", "metrics", "steps"):
        assert project.report(1)[key] == whole.report(0)[key]
    assert project.predictions(1) == whole.predictions(0)


@pytest.mark.slow
def test_a_longer_training_goes_on_where_max_steps_ended_inside_an_epoch(
    whole_run: Projects, tiny_project: Projects
) -> None:
    constant = {"model.optimizer.schedule": "constant", "model.optimizer.warmup": 0.0}
    project = tiny_project(**constant)
    assert project.run("--trainer.max_steps", "14").code == 0

    assert project.run("--ckpt_path", "last").code == 0

    whole = whole_run(**constant)
    assert project.trace(1) == whole.trace(0)[14:]
    assert project.report(1)["weights_sha256"] == whole.report(0)["weights_sha256"]


@pytest.mark.slow
@pytest.mark.parametrize("places", [("train_batch_end:3",), ("validation_start:3", "os.fsync:2")])
def test_killed_pretraining_ends_as_the_whole_one(
    whole_run: Projects, tiny_project: Projects, places: list[str]
) -> None:
    changes = {
        "script": "pretrain.py",
        "data.batch_size": 16,
        "data.corpus": {"min_characters": 0, "held_out": 0.2},
        "data.num_workers": 1,
    }
    whole, project = whole_run(**changes), tiny_project(**changes)

    version = resume_after_kill(project, *places)

    assert_same_end(whole, project, version)
    exported = [
        (run.version(number) / "backbone" / "model.safetensors") for run, number in ((whole, 0), (project, version))
    ]
    assert exported[0].read_bytes() == exported[1].read_bytes()
