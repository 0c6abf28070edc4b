"""Options of the best checkpoint that would keep other weights than those that were scored."""

import pytest

from tests.cli.command_line import read_report


@pytest.mark.parametrize("flags", [("every_n_train_steps", 1), ("save_last", "true"), ("save_on_exception", "true")])
def test_they_are_refused_before_anything_is_read(flags, train, capsys):
    train.refuse("fit", f"--best_checkpoint.{flags[0]}", flags[1])
    assert f"error: best_checkpoint.{flags[0]} is " in capsys.readouterr().err


def test_another_callback_that_would_write_last_ckpt_is_refused(train, capsys):
    train.refuse("fit", "--trainer.callbacks+=ModelCheckpoint", "--trainer.callbacks.save_last=true")
    assert "trainer.callbacks.ModelCheckpoint.save_last is True (expected null" in capsys.readouterr().err


def test_best_is_the_best_of_all_that_are_kept(train):
    often = ("--trainer.max_steps", 6, "--trainer.val_check_interval", 2, "--model.optimizer.lr", 0.03)
    run = train("fit", *often, "--best_checkpoint.save_top_k", -1)
    report = read_report(run)
    assert len(list((run / "checkpoints").glob("best-*.ckpt"))) == 3
    validated = read_report(train("validate", "--ckpt_path", "best"))["metrics"]
    assert validated["mean"] == pytest.approx(report["best_score"], abs=1e-6)
