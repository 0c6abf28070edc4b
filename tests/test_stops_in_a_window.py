"""Trainings that a clock or a score ends: a longer one goes on from there as if nothing had ended it."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from tests.runs import Project

Projects = Callable[..., Project]

PROBE = {"class_path": "tests.runs.Probe"}
AT_ONCE = {"class_path": "EarlyStopping", "init_args": {"monitor": "val/mean", "mode": "max", "stopping_threshold": -2}}
SOON = {"milliseconds": 1}  # the first batch takes longer
WINDOW = {"trainer.accumulate_grad_batches": 4, "trainer.val_check_interval": 3, "checkpoint.every_n_train_steps": 0}
PRETRAIN = {
    "script": "pretrain.py",
    "data.batch_size": 8,
    "data.corpus": {"min_characters": 0, "held_out": 0.2},
    "trainer.accumulate_grad_batches": 2,
}


def assert_goes_on(whole: Project, stopped: Project, batches: int) -> None:
    """Check that a run ended after some batches, and that a longer one goes on there to the end of the whole one."""
    ended = stopped.run()
    assert ended.code == 0, ended.output
    assert len(stopped.trace(0)) == batches
    longer = dataclasses.replace(stopped, config=whole.config)
    ended = longer.run("--ckpt_path", "last")
    assert ended.code == 0, ended.output
    assert longer.trace(1) == whole.trace(0)[batches:]
    for key in ("weights_sha256", "metrics", "steps"):
        assert longer.report(1)[key] == whole.report(0)[key]


def test_a_training_whose_time_is_over_ends_at_a_whole_step(whole_run: Projects, tiny_project: Projects) -> None:
    assert_goes_on(whole_run(**WINDOW), tiny_project(**WINDOW, **{"trainer.max_time": SOON}), 4)


@pytest.mark.slow
def test_pretraining_whose_time_is_over_ends_at_a_whole_step(whole_run: Projects, tiny_project: Projects) -> None:
    assert_goes_on(whole_run(**PRETRAIN), tiny_project(**PRETRAIN, **{"trainer.max_time": SOON}), 2)


@pytest.mark.slow
@pytest.mark.parametrize(("window", "batches"), [(1, 3), (4, 4)])
def test_a_training_that_stops_early_inside_an_epoch_keeps_the_rest_of_it(
    window: int, batches: int, whole_run: Projects, tiny_project: Projects
) -> None:
    changes: dict[str, Any] = {**WINDOW, "trainer.accumulate_grad_batches": window}
    stopped = tiny_project(**changes, **{"trainer.callbacks": [PROBE, AT_ONCE]})
    assert_goes_on(whole_run(**changes), stopped, batches)
