from datetime import timedelta

import pytest
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, Timer

from callbacks import BestCheckpoint, BestTaskCheckpoint
from callbacks.ending import describe_best, describe_stop, summarize_best


def best(checkpoint: ModelCheckpoint, path: str, score: float) -> ModelCheckpoint:
    checkpoint.best_model_path = path
    checkpoint.best_model_score = torch.tensor(score, dtype=torch.float64)
    return checkpoint


@pytest.fixture
def checkpoints() -> list[ModelCheckpoint]:
    """The best mean, the best of a task, and one that keeps the newest only."""
    mean = best(ModelCheckpoint(monitor="val/mean"), "runs/best-mean.ckpt", 0.5)
    return [mean, best(BestTaskCheckpoint("sst", "accuracy"), "runs/best-sst.ckpt", 0.75), ModelCheckpoint()]


def test_early_stopping_is_told_with_epoch_step_and_score():
    stopping = EarlyStopping("val/mean")
    assert describe_stop([stopping], step=81, total=100) is None
    stopping.stopped_epoch = 2
    stopping.stopping_reason_message = (
        "Monitored metric val/mean did not improve in the last 3 records. Best score: 0.531. Signaling Trainer to stop."
    )
    assert describe_stop([stopping], step=81, total=100) == (
        "stopped early in epoch 3, at step 81: Monitored metric val/mean did not improve in the last 3 records. "
        "Best score: 0.531"
    )


def test_a_time_limit_is_told():
    assert describe_stop([Timer(timedelta(seconds=0))], step=5, total=9) == (
        "stopped at step 5: its time is over (--trainer.max_time)"
    )
    assert describe_stop([Timer(timedelta(hours=1)), Timer()], step=5, total=9) is None


def test_the_best_weights_are_told_beside_the_last(checkpoints):
    logged = {"val/mean": torch.tensor(0.25), "val/sst/accuracy": torch.tensor(0.75)}
    assert list(describe_best(checkpoints, logged)) == [
        "best val/mean: 0.5000, in runs/best-mean.ckpt (scores above are of the last weights: 0.2500)",
        "best val/sst/accuracy: 0.7500, in runs/best-sst.ckpt (the last weights score the same)",
    ]


def test_without_a_validation_of_its_own_a_run_does_not_compare_the_last_weights(checkpoints):
    assert list(describe_best(checkpoints[:1], {})) == ["best val/mean: 0.5000, in runs/best-mean.ckpt"]


def test_a_stop_right_after_the_last_step_ended_nothing():
    stopping = EarlyStopping("val/mean")
    stopping.stopping_reason_message = "Monitored metric val/mean did not improve in the last 3 records."
    for callback in (stopping, Timer(timedelta(seconds=0))):
        assert describe_stop([callback], step=8, total=9) is not None
        assert describe_stop([callback], step=9, total=9) is None
        assert describe_stop([callback], step=9, total=float("inf")) is not None


def test_a_score_that_no_validation_defined_is_said_and_no_number_in_the_report():
    never = best(BestCheckpoint(monitor="val/mean", mode="max"), "runs/best.ckpt", -torch.inf)  # as Lightning keeps NaN
    assert list(describe_best([never], {"val/mean": torch.nan})) == [
        "best val/mean: undefined, in runs/best.ckpt (scores above are of the last weights: nan)"
    ]
    assert summarize_best([never]) == {"best_checkpoint": "runs/best.ckpt", "best_score": None}


def test_the_best_checkpoint_of_the_report_is_that_of_the_run_not_of_another_callback(checkpoints):
    own = best(BestCheckpoint(monitor="val/mean", mode="max"), "runs/own.ckpt", 0.25)
    assert summarize_best([*checkpoints, own])["best_checkpoint"] == "runs/own.ckpt"
    assert summarize_best([own, *checkpoints])["best_score"] == 0.25


def test_without_a_validation_nothing_is_best():
    assert list(describe_best([ModelCheckpoint(monitor="val/mean")], {})) == []
    assert summarize_best([ModelCheckpoint(monitor="val/mean")]) == {"best_checkpoint": "", "best_score": None}


def test_the_report_holds_the_best_score(checkpoints):
    assert summarize_best(checkpoints) == {
        "best_checkpoint": "runs/best-mean.ckpt",
        "best_score": 0.5,
        "best_checkpoints": {"sst": "runs/best-sst.ckpt"},
    }
