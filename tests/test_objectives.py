"""Objectives in real processes: killed and continued, and on two processes."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.runs import Project
from tests.same_end import assert_same_end, resume_after_kill

Projects = Callable[..., Project]

JOINT = {"data.schedule": "Joint", "checkpoint.every_n_train_steps": 1}
BREGMAN = {"class_path": "BregmanProximalPoint", "init_args": {"weight": 2.0, "decay": 0.5}}
VARIANTS: dict[str, dict[str, Any]] = {
    "smart_bf16": {"model.regularizer": "Smart", "trainer.precision": "bf16-mixed", "trainer.gradient_clip_val": 1.0},
    "smart_joint": {"model.regularizer": {"class_path": "Smart", "init_args": {"tasks": ["sst"], "steps": 2}}, **JOINT},
    "rdrop": {"model.regularizer": {"class_path": "RDrop", "init_args": {"tasks": ["sst", "quora"], "alpha": 2.0}}},
    "bregman": {"model.regularizer": BREGMAN, "trainer.accumulate_grad_batches": 2},
    "smart_bregman_ema": {
        "model.regularizer": ["Smart", BREGMAN],
        "averaging": "Ema",
        "trainer.precision": "bf16-mixed",
    },
    "uncertainty": {"model.weighting": "Uncertainty", "trainer.gradient_clip_val": 1.0},
    "uncertainty_joint": {"model.weighting": {"class_path": "Uncertainty", "init_args": {"lr": 0.1}}, **JOINT},
    "dynamic_weight_average": {"model.weighting": "DynamicWeightAverage", "trainer.max_epochs": 4},
    "random_weights": {"model.weighting": "RandomWeights", "trainer.accumulate_grad_batches": 2},
    "pcgrad": {"model.surgery": "PcGrad", "trainer.gradient_clip_val": 0.1, **JOINT},
    "upgrad_bf16": {"model.surgery": "UpGrad", "trainer.accumulate_grad_batches": 4, "trainer.precision": "bf16-mixed"},
    "all": {"model.regularizer": "RDrop", "model.weighting": "Uncertainty", "model.surgery": "PcGrad", **JOINT},
}
WITHOUT_DROPOUT = {"class_path": "LinearHead", "init_args": {"dropout": 0.0}}
ALIKE: dict[str, dict[str, Any]] = {
    "plain_joint": JOINT,
    "bregman": {"model.regularizer": BREGMAN},
    "uncertainty": {"model.weighting": {"class_path": "Uncertainty", "init_args": {"lr": 0.1}}},
    "dynamic_weight_average": {"model.weighting": "DynamicWeightAverage"},
    "random_weights": {"model.weighting": "RandomWeights", **JOINT},
    "pcgrad": {"model.surgery": "PcGrad", **JOINT},
    "pcgrad_resting_last": {
        "model.surgery": "PcGrad",
        "tasks.sts": {"class_path": "Sts", "init_args": {"head": WITHOUT_DROPOUT, "head_only_from": 0}},
        **JOINT,
    },
    "upgrad": {"model.surgery": "UpGrad", **JOINT, "trainer.accumulate_grad_batches": 6},
}


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_killed_run_ends_as_the_whole_one_with(whole_run: Projects, tiny_project: Projects, variant: str) -> None:
    changes = VARIANTS[variant]
    whole = whole_run(**changes)
    project = tiny_project(**changes)

    version = resume_after_kill(project, "train_batch_end:2", f"train_batch_end:{whole.report(0)['steps'] - 1}")

    assert_same_end(whole, project, version)
    assert whole.report(0)["weights_sha256"] != whole_run().report(0)["weights_sha256"]


def train(
    tiny_project: Projects, backbone: Path, *flags: str, processes: int = 1, **changes: Any
) -> dict[str, torch.Tensor]:
    """Train without dropout and give the final weights."""
    heads = {f"tasks.{task}": {"class_path": kind, "init_args": {"head": WITHOUT_DROPOUT}} for task, kind in TASKS}
    project = tiny_project(**{"model.backbone": str(backbone), **heads, **changes})
    ended = project.run_ranks(processes, *flags) if processes > 1 else [project.run(*flags)]
    assert {process.code for process in ended} == {0}, ended
    return project.weights(0)


TASKS = (("sst", "Sst"), ("quora", "Quora"), ("sts", "Sts"))


def distance(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """Length of the difference of all weights; keys' biases, whose gradient is rounding alone, are left out."""
    names = [name for name in one if "metric" not in name and "key.bias" not in name]
    return float(torch.stack([(one[name] - other[name]).double().norm() for name in names]).norm())


@pytest.mark.slow
@pytest.mark.parametrize("variant", ALIKE)
def test_two_processes_train_what_one_does_with(tiny_project: Projects, still_backbone: Path, variant: str) -> None:
    changes = {**ALIKE[variant], "data.batch_size": 4}
    start = train(tiny_project, still_backbone, "--trainer.max_steps", "1", **changes)
    alone = train(tiny_project, still_backbone, **changes)
    together = train(tiny_project, still_backbone, processes=2, **changes)
    assert distance(alone, together) < 0.01 * distance(start, alone)


@pytest.mark.slow
def test_two_regularized_processes_continue_exactly(tiny_project: Projects) -> None:
    changes = {
        "model.regularizer": "Smart",
        "model.weighting": "DynamicWeightAverage",
        "model.surgery": "UpGrad",
        **JOINT,
    }
    whole, project = tiny_project(**changes), tiny_project(**changes)
    assert {ended.code for ended in whole.run_ranks(2)} == {0}

    stopped = project.run_ranks(2, PROBE="train_batch_end:5", PROBE_SIGNAL=str(int(signal.SIGUSR1)))
    assert {ended.code for ended in stopped} == {128 + signal.SIGUSR1}, stopped
    assert {ended.code for ended in project.run_ranks(2, "--ckpt_path", "last")} == {0}

    assert_same_end(whole, project, 1)


@pytest.mark.slow
def test_a_continued_conflict_monitor_reports_what_the_whole_one_does(
    whole_run: Projects, tiny_project: Projects
) -> None:
    changes = {"conflicts.every_n_steps": 2}
    whole, project = whole_run(**changes), tiny_project(**changes)

    version = resume_after_kill(project, "train_batch_end:7", "train_batch_end:20")

    assert_same_end(whole, project, version)
    conflicts = whole.report(0)["conflicts"]
    assert {pair: found["probes"] for pair, found in conflicts.items()} == {
        "sst-quora": 13,
        "sst-sts": 13,
        "quora-sts": 13,
    }
    assert project.report(version)["conflicts"] == conflicts
    assert whole.report(0)["weights_sha256"] == whole_run().report(0)["weights_sha256"]
    assert "conflicts" not in whole_run().report(0)


def test_the_command_line_gives_a_joint_step_a_batch_of_every_task(tiny_project: Projects) -> None:
    project = tiny_project(**JOINT, **{"model.surgery": "UpGrad"})
    assert project.run("--trainer.max_epochs", "1").code == 0
    assert project.report(0)["steps"] == 3
    assert [batch["task"] for batch in project.trace(0)] == ["sst", "quora", "sts"] * 3
    staged = ("--data.schedule", "Staged", "--data.schedule.first", "sts", "--data.schedule.then", "Joint")
    assert project.run("--trainer.max_epochs", "1", *staged).code == 0
    assert project.report(1)["steps"] == 3  # of three batches too
    refused = project.run("--trainer.accumulate_grad_batches", "2")
    assert refused.code == 2
    assert refused.output.splitlines()[-1].startswith(
        "error: Joint: trainer.accumulate_grad_batches is 2 (expected 3, one batch of every"
    )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--model.surgery", "PcGrad"), "PcGrad compares the tasks of an optimiser step, but each has one batch"),
        (("--model.regularizer", "Smart", "--model.freeze_backbone", "true"), "Smart perturbs the embeddings"),
        (("--model.regularizer", "RDrop", "--model.regularizer.tasks", "[nli]"), "RDrop: tasks has nli (expected"),
        (("--model.regularizer", "RDrop", "--model.regularizer.alpha", "-1"), "RDrop: alpha is -1.0 (expected 0"),
        (("--model.weighting", "Uncertainty", "--model.weighting.lr", "-1"), "Uncertainty: lr is -1.0 (expected 0"),
    ],
)
def test_what_does_not_fit_is_refused_with_one_sentence(
    tiny_project: Projects, flags: tuple[str, ...], message: str
) -> None:
    refused = tiny_project().run(*flags)
    assert refused.code == 2
    assert refused.output.splitlines()[-1].startswith(f"error: {message}")
    assert all(line.startswith("backbone ") for line in refused.output.splitlines()[:-1])
