"""Settings that train without an effect are refused, or told."""

import logging
from pathlib import Path

import pytest

PLAIN = ["--tasks.sst.head", "LinearHead", "--tasks.quora.head", "LinearHead", "--tasks.sts.head", "LinearHead"]
NO_HEAD_DROPOUT = [word for task in ("sst", "quora", "sts") for word in (f"--tasks.{task}.head.dropout", "0")]
HEADS_ONLY = ["--tasks.sst.head_only_from", "0", "--tasks.sts.head_only_from", "0"]
SIMCSE = '[{"class_path": "SimCse"}]'


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--model.regularizer", "RDrop", *PLAIN, *NO_HEAD_DROPOUT, "--model.freeze_backbone", "true"],
            "RDrop compares passes under different dropout, but backbone and heads have none",
        ),
        (
            ["--model.surgery", "PcGrad", "--data.schedule", "Joint", *HEADS_ONLY],
            "PcGrad joins gradients of several tasks, but only 1 of 3 trains the backbone (expected two or more)",
        ),
    ],
    ids=["R-Drop", "one task"],
)
def test_refused(flags, message, train, capsys):
    train.refuse("fit", *flags)
    assert f"error: {message}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--tasks.sst.auxiliary", SIMCSE],
            "SimCse compares passes under different dropout, but the backbone has none",
        ),
        (["--model.regularizer", "RDrop", *PLAIN, *NO_HEAD_DROPOUT], "RDrop compares passes under different dropout"),
    ],
    ids=["SimCSE", "R-Drop"],
)
def test_a_backbone_without_dropout(flags, message, train, capsys):
    train.refuse("fit", "--model.backbone_dropout", 0, *flags)
    assert f"error: {message}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model.backbone_dropout", "1"], "model.backbone_dropout is 1 (expected 0 to less than 1)"),
        (["--model.backbone_dropout=-0.1"], "model.backbone_dropout is -0.1 (expected 0 to less than 1)"),
        (
            ["--model.backbone_dropout", "0.2", "--model.freeze_backbone", "true"],
            "model.backbone_dropout is 0.2 (a frozen backbone has none)",
        ),
    ],
    ids=["one", "negative", "frozen"],
)
def test_dropout_that_there_cannot_be(flags, message, train, capsys):
    train.refuse("fit", *flags)
    assert f"error: {message}" in capsys.readouterr().err


def test_dropout_of_the_backbone_or_of_a_head_is_enough(train):
    train("fit", "--model.regularizer", "RDrop", *PLAIN, *NO_HEAD_DROPOUT)
    train("fit", "--model.regularizer", "RDrop", *PLAIN, "--model.freeze_backbone", "true")


def test_told(train, caplog: pytest.LogCaptureFixture, tmp_path: Path):
    weighting = ["--model.weighting", "DynamicWeightAverage", "--trainer.max_epochs", "2"]
    averaging = ["--averaging", "Swa", "--averaging.every_n_steps", "100"]
    with caplog.at_level(logging.WARNING):
        train("fit", *weighting, *averaging, "--data.schedule", "Staged", "--data.schedule.first", "sst")
    assert "DynamicWeightAverage: all weights are 1 in the first 2 epochs, and this training has no more" in caplog.text
    assert "averaging: none of " in caplog.text
    assert "no batch in the whole training: quora, sts" in caplog.text
