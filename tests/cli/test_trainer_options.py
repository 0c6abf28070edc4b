"""Options of Lightning's Trainer through the command line: each works in a training, or ends it before it begins."""

import pytest

from tests.cli.command_line import CS224N, best_checkpoint, read_report

NO_BAR = ["--trainer.enable_progress_bar", "false"]
ONE_EPOCH = ["--trainer.max_epochs", "1", *NO_BAR]
STOPPING = ["--trainer.callbacks", "EarlyStopping", "--trainer.callbacks.monitor"]
SCORES = "(expected one of val/sst/accuracy, val/sst/macro_f1, val/sst/loss, val/quora/accuracy, val/quora/f1, "


def ended(train, capsys):
    """Return what a refused command said; it left nothing behind."""
    lines = capsys.readouterr().err.splitlines()
    said = next(line for line in lines if line.startswith("error: "))
    assert [path.name for path in train.folder.rglob("*") if path.is_file()] == []
    assert lines[lines.index(said) + 1 :] in ([], ["All options: train.py fit --help"])
    return said.removeprefix("error: ")


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--trainer.devices", "-1"], "trainer: `devices` selected with `CPUAccelerator` should be an int > 0."),
        (["--trainer.limit_train_batches", "1.5"], "trainer.limit_train_batches is 1.5 (expected a share above 0"),
        (["--trainer.limit_train_batches", "0.01"], "which leaves no batch of an epoch (expected a larger share"),
        (["--trainer.limit_val_batches", "0.01"], "limit_val_batches is 0.01, which leaves none of 3 batches"),
        (["--trainer.overfit_batches", "2"], "trainer.overfit_batches is 2 (expected 0; to train on the same few"),
        (["--trainer.val_check_interval", "1000"], "val_check_interval is 1000, but an epoch has 9 batches"),
        (["--trainer.callbacks+=Timer"], "trainer.callbacks: Timer does not work here (expected --trainer.max_time"),
        (["--trainer.callbacks", "Timer"], "trainer.callbacks: Timer does not work here (expected --trainer.max_time"),
        (
            ["--trainer.callbacks", "DeviceStatsMonitor", "--trainer.logger", "false"],
            "trainer: Cannot use `DeviceStatsMonitor` callback with `Trainer(logger=False)`.",
        ),
        (["--trainer.precision", "bf16-true"], "(expected one of auto, 32-true, bf16-mixed, 16-mixed"),
        (["--trainer.plugins", "TorchCheckpointIO"], "trainer: Received multiple values for CheckpointIO flags"),
        (["--best_checkpoint.mode", "foo"], "`mode` can be min, max but got foo"),
        (["--checkpoint.every_n_train_steps", "-1"], "checkpoint.every_n_train_steps is -1 (expected 0 or more)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_option_that_does_not_work_ends_the_command_before_training(flags, sentence, train, capsys):
    train.refuse("fit", *ONE_EPOCH, *flags, quick=False)
    assert sentence in ended(train, capsys)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ([*STOPPING, "val_loss"], f"trainer.callbacks.EarlyStopping.monitor is val_loss {SCORES}"),
        ([*STOPPING, "train/sst/loss"], f"trainer.callbacks.EarlyStopping.monitor is train/sst/loss {SCORES}"),
        (["--best_checkpoint.monitor", "val/typo"], f"best_checkpoint.monitor is val/typo {SCORES}"),
        (["--best_checkpoint.monitor", "val/sst/f1"], f"best_checkpoint.monitor is val/sst/f1 {SCORES}"),
        (
            ["--trainer.callbacks", "ModelCheckpoint", "--trainer.callbacks.monitor", "val/typo"],
            f"trainer.callbacks.ModelCheckpoint.monitor is val/typo {SCORES}",
        ),
        ([*STOPPING, "val/mean"], "EarlyStopping.mode is min, but more of val/mean is better (expected max)"),
        (
            ["--best_checkpoint.monitor", "val/sst/loss"],
            "best_checkpoint.mode is max, but less of val/sst/loss is better (expected min)",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_monitor_that_is_never_logged_is_refused_before_data_is_read(flags, sentence, train, capsys):
    train.refuse("fit", *ONE_EPOCH, "--data.root", train.folder / "none", *flags, quick=False)
    assert sentence in ended(train, capsys)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (
            ["--best_checkpoint.monitor", "val/sts/pearson"],
            "best_checkpoint.monitor is val/sts/pearson with trainer.limit_val_batches 1 (expected one of "
            "val/sst/accuracy, val/sst/macro_f1, val/sst/loss, val/mean)",
        ),
        (
            ["--model.score", "{sts.pearson: 1}", "--best_checkpoint.monitor", "val/score"],
            "best_checkpoint.monitor is val/score with trainer.limit_val_batches 1",
        ),
        (["--best_checkpoint_per_task", "true"], "val/quora/accuracy with trainer.limit_val_batches 1"),
    ],
)
def test_a_monitor_that_few_batches_leave_out_is_refused_before_training(flags, sentence, train, capsys):
    train.refuse("fit", *ONE_EPOCH, "--trainer.limit_val_batches", 1, *flags, quick=False)
    assert sentence in ended(train, capsys)


@pytest.mark.parametrize(
    ("flags", "callback"),
    [
        ([*STOPPING, "val/mean", "--trainer.callbacks.mode", "max"], "EarlyStopping"),
        (["--plateau.patience", "1"], "ReduceShareOnPlateau"),
    ],
)
def test_waiting_for_scores_without_validations_is_refused(flags, callback, train, capsys):
    train.refuse("fit", *ONE_EPOCH, *flags, "--trainer.limit_val_batches", 0, quick=False)
    assert f"{callback} needs validations, but trainer.limit_val_batches is 0" in ended(train, capsys)


@pytest.mark.parametrize(
    ("flags", "steps"),
    [
        (["limit_train_batches=0.5", "limit_val_batches=0.7", "limit_test_batches=0", "num_sanity_val_steps=-1"], 4),
        (
            [
                "accumulate_grad_batches=2",
                "limit_val_batches=0",
                "profiler=simple",
                "strategy=ddp_find_unused_parameters_true",
            ],
            5,
        ),
        (["val_check_interval=12", "check_val_every_n_epoch=null", "min_epochs=2", "min_steps=2", "max_epochs=2"], 18),
        (
            [
                "val_check_interval=00:00:00:01",
                "max_time=00:00:10:00",
                "sync_batchnorm=true",
                "enable_model_summary=true",
            ],
            9,
        ),
        (["max_time=00:00:00:00", "inference_mode=false"], 0),
        (["gradient_clip_val=0.1", "gradient_clip_algorithm=value", "limit_predict_batches=1"], 9),
        (["enable_progress_bar=true", "callbacks=TQDMProgressBar", "limit_train_batches=2", "limit_val_batches=1"], 2),
        (["callbacks=EarlyStopping", "callbacks.monitor=val/sts/loss", "log_every_n_steps=0"], 9),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_option_that_works_trains_and_reports(flags, steps, train):
    folder = train("fit", *ONE_EPOCH, *(f"--trainer.{flag}" for flag in flags), quick=False)
    report = read_report(folder)
    assert report["steps"] == steps
    assert (folder / "checkpoints" / "last.ckpt").is_file() == (steps > 0)
    has_validations = "limit_val_batches=0" not in flags
    assert ("mean" in report["metrics"]) == has_validations
    if steps and has_validations:
        assert best_checkpoint(folder).is_file()


def test_a_training_after_one_of_ddp_has_the_weights_of_one_before_it(train, fitted):
    train("fit", "--trainer.strategy", "ddp")  # Lightning takes all cores for it, unless OMP_NUM_THREADS is given
    folder = train("fit", "--trainer.max_steps", 5)
    assert read_report(folder)["weights_sha256"] == read_report(fitted)["weights_sha256"]


def test_options_that_only_watch_leave_the_weights_as_they_are(train, fitted):
    watching = ["--trainer.num_sanity_val_steps", -1, "--trainer.profiler", "simple", "--trainer.val_check_interval", 2]
    others = ["--trainer.detect_anomaly", "true", "--trainer.inference_mode", "false"]
    folder = train("fit", *watching, *others, "--trainer.max_steps", 5)
    assert read_report(folder)["weights_sha256"] == read_report(fitted)["weights_sha256"]


@pytest.mark.parametrize("batches", ["true", "2"])
def test_a_fast_run_leaves_nothing_behind(batches, train, capsys):
    train.raw("fit", "-c", str(CS224N), *train.tiny, "--trainer.fast_dev_run", batches, *NO_BAR)
    assert "Traceback" not in capsys.readouterr().err
    assert [path for path in train.folder.rglob("*") if path.is_file()] == []
