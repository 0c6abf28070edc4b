"""What a training leaves on a terminal."""

import csv
import io
import json
import os
import re
import signal
import sys
from typing import Any

import lightning.pytorch as L
import pytest

from tests.cli.command_line import TASKS, best_checkpoint, read_report

BAR = [
    "--trainer.enable_progress_bar",
    "true",
    "--trainer.limit_train_batches",
    "2",
    "--trainer.log_every_n_steps",
    "1",
]
IMPATIENT = ["EarlyStopping", "--trainer.callbacks.monitor", "val/mean", "--trainer.callbacks.mode", "max"]
IMPATIENT += ["--trainer.callbacks.patience", "1", "--trainer.callbacks.min_delta", "10"]


class Terminal(io.StringIO):
    """A terminal: bars move on it, where a file gets their last state only."""

    def isatty(self) -> bool:
        return True

    @property
    def lines(self) -> list[str]:
        """What stands on it, without colours and movements."""
        text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.getvalue())
        return [line.split("\r")[-1].rstrip() for line in text.split("\n")]


def open_terminal(patch: pytest.MonkeyPatch) -> Terminal:
    """Return a terminal that both outputs go to from now on."""
    screen = Terminal()
    patch.setenv("TERM", "xterm")
    for name in ("stdout", "stderr"):
        patch.setattr(sys, name, screen)
    return screen


class Interrupt(L.Callback):
    """Presses Ctrl+C in the second step."""

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if batch_idx == 1:
            os.kill(os.getpid(), signal.SIGINT)


def test_results_stand_below_the_bar_which_counts_epochs_from_one(train, monkeypatch):
    terminal = open_terminal(monkeypatch)
    train("fit", *BAR, "--trainer.max_epochs", 2, quick=False)
    bars = [number for number, line in enumerate(terminal.lines) if "Epoch " in line]
    (title,) = [number for number, line in enumerate(terminal.lines) if "dev scores" in line]
    assert "Epoch 2/2" in terminal.lines[bars[-1]]
    assert bars[-1] < title
    assert terminal.lines[title].strip() == "dev scores"


def test_a_file_gets_lines_instead_of_a_bar_above_the_results(train, capsys):
    train("fit", *BAR, "--trainer.max_epochs", 1, quick=False)
    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines if line.startswith("Epoch ")]
    (last,) = [number for number, line in enumerate(lines) if line.startswith("step 2/2 (100 %)  validation: mean ")]
    assert [line.strip() for line in lines[last:]].index("dev scores") > 0


def test_the_message_of_a_stopped_run_is_a_line_of_its_own(train, monkeypatch):
    terminal = open_terminal(monkeypatch)
    with pytest.raises(SystemExit) as ended:
        train("fit", *BAR, "--trainer.callbacks+=tests.cli.test_terminal.Interrupt", quick=False)
    assert ended.value.code == 128 + signal.SIGINT
    said = [line for line in terminal.lines if "stopped at step" in line]
    assert said == ["stopped at step 2 by SIGINT; everything is saved"]


def test_what_ended_a_training_early_and_where_the_best_weights_are_is_said(train, capsys):
    run = train(
        "fit", *BAR, "--trainer.max_epochs", 5, f"--trainer.callbacks+={IMPATIENT[0]}", *IMPATIENT[1:], quick=False
    )
    said, report = capsys.readouterr().out, read_report(run)
    stopped = "stopped early in epoch 2, at step 4: Monitored metric val/mean did not improve in the last 1 records."
    assert report["stopped_early"].startswith(stopped)
    assert f"{report['stopped_early']}\n" in said
    best = re.search(r"^best val/mean: (\d\.\d{4}), in (.*\.ckpt) \((.*)\)$", said, re.MULTILINE)
    assert best
    assert float(best[1]) == pytest.approx(report["best_score"], abs=1e-4)
    assert train.folder / best[2] == best_checkpoint(run)
    assert (best[3] == "the last weights score the same") == (report["best_score"] == report["metrics"]["mean"])


def test_a_task_that_predicts_one_class_only_is_said(train, root, tmp_path, capsys):
    task = {"class_path": "tasks.Sst", "init_args": {"source": {"train": "one.csv", "dev": "one.csv"}}}
    rows = [["id", "sentence", "sentiment"], *([f"r{number}", f"film {number}", "3"] for number in range(8))]
    with (tmp_path / "one.csv").open("w", newline="") as file:
        csv.writer(file, delimiter="\t").writerows(rows)
    train(
        "fit",
        f"--tasks={{'sst': {task}}}",
        "--data.root",
        tmp_path,
        "--model.optimizer.lr",
        0.1,
        "--trainer.max_steps",
        30,
    )
    assert "task sst: predicts one class only, 3, whatever the text\n" in capsys.readouterr().out


def test_the_hand_in_files_are_those_of_the_starter_code(train, fitted, root, tmp_path, capsys):
    last = fitted / "checkpoints" / "last.ckpt"
    run = train("predict", "--ckpt_path", last, "--predictions.handin", tmp_path / "mine" / "predictions")
    files = {path.name: path.read_text().splitlines() for path in (tmp_path / "mine" / "predictions").iterdir()}
    headers = {"sst": "Predicted_Sentiment", "para": "Predicted_Is_Paraphrase", "sts": "Predicted_Similiary"}
    assert {name: lines[0] for name, lines in files.items()} == {
        f"{name}-{split}-output.csv": f"id \t {header} "
        for name, header in headers.items()
        for split in ("dev", "test")
    }
    for name, task in zip(headers, TASKS, strict=True):
        own = (run / "predictions" / f"{task}-dev.csv").read_text().splitlines()[1:]
        wanted = [line.split(", ") for line in own]
        decimal = ".0" if name == "para" else ""
        assert files[f"{name}-dev-output.csv"][1:] == [f"{row} , {label}{decimal} " for row, label in wanted]
        assert len(wanted) == 12
    out = capsys.readouterr().out
    assert f"hand-in: {', '.join(sorted(files, key=lambda name: (name.split('-')[1], name)))} in {tmp_path}" in out
    assert "not there yet" not in out


def test_a_hand_in_that_is_not_whole_is_said(train, tmp_path, capsys):
    part = ["--trainer.limit_val_batches", 3, "--data.tokens_per_batch", 30]
    train("fit", "--predictions.handin", tmp_path / "mine", *part)
    out = capsys.readouterr().out
    assert re.search(r"^hand-in: sst-dev-output.csv holds \d of 12 rows \(every one is needed\)$", out, re.MULTILINE)
    assert "hand-in: not there yet: sst-test-output.csv, para-test-output.csv, sts-test-output.csv (predict" in out


def test_a_hand_in_without_one_of_the_courses_tasks_is_refused_before_a_file_is_read(train, tmp_path, capsys):
    own = {"source": {"train": "none.csv", "dev": "none.csv"}, "texts": ["t"], "label": "y", "num_classes": 2}
    tasks = json.dumps({"own": {"class_path": "Classification", "init_args": own}})
    flags = ["--data.root", tmp_path, "--predictions.handin", tmp_path / "mine"]
    train.refuse("fit", f"--tasks={tasks}", *flags)
    assert "none of the tasks is Sst, Quora or Sts" in capsys.readouterr().err
    assert not (tmp_path / "mine").exists()
