from datetime import timedelta

import pytest
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, Timer

from callbacks import BestTaskCheckpoint
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
    assert describe_stop([stopping], step=81) is None
    stopping.stopped_epoch = 2
    stopping.stopping_reason_message = (
        "Monitored metric val/mean did not improve in the last 3 records. Best score: 0.531. Signaling Trainer to stop."
    )
    assert describe_stop([stopping], step=81) == (
        "stopped early in epoch 3, at step 81: Monitored metric val/mean did not improve in the last 3 records. "
        "Best score: 0.531"
    )


def test_a_time_limit_is_told():
    assert describe_stop([Timer(timedelta(seconds=0))], step=5) == (
        "stopped at step 5: its time is over (--trainer.max_time)"
    )
    assert describe_stop([Timer(timedelta(hours=1)), Timer()], step=5) is None


def test_the_best_weights_are_told_beside_the_last(checkpoints):
    logged = {"val/mean": torch.tensor(0.25), "val/sst/accuracy": torch.tensor(0.75)}
    assert list(describe_best(checkpoints, logged)) == [
        "best val/mean: 0.5000, in runs/best-mean.ckpt (scores above are of the last weights: 0.2500)",
        "best val/sst/accuracy: 0.7500, of the last weights, in runs/best-sst.ckpt",
    ]


def test_without_a_validation_nothing_is_best():
    assert list(describe_best([ModelCheckpoint(monitor="val/mean")], {})) == []
    assert summarize_best([ModelCheckpoint(monitor="val/mean")]) == {"best_checkpoint": "", "best_score": None}


def test_the_report_holds_the_best_score(checkpoints):
    assert summarize_best(checkpoints) == {
        "best_checkpoint": "runs/best-mean.ckpt",
        "best_score": 0.5,
        "best_checkpoints": {"sst": "runs/best-sst.ckpt"},
    }
