"""What a training writes where there is no terminal."""

import re

import pytest
import yaml

from cli import PretrainCLI, run
from datamodules import MaskedLMDataModule
from lightning_modules import MaskedLMModule
from tests.cli.command_line import QUICK

EACH_STEP = ["--trainer.log_every_n_steps", "1"]


def steps(out: str) -> list[str]:
    return [line.split("  ")[1].partition(":")[0] for line in out.splitlines() if line.startswith("step ")]


@pytest.mark.parametrize("bar", ["true", "false"])
def test_a_file_gets_lines_whether_a_terminal_would_get_a_bar_or_not(bar, train, capsys):
    train("fit", *EACH_STEP, "--trainer.max_steps", 2, "--trainer.enable_progress_bar", bar, quick=False)
    assert steps(capsys.readouterr().out) == ["loss", "validation"]  # the second step comes within 30 s


def test_a_bar_of_the_users_own_replaces_the_lines(train, capsys):
    bar = ["--trainer.callbacks", "TQDMProgressBar"]
    train("fit", *EACH_STEP, "--trainer.max_steps", 2, *bar, quick=False)
    assert steps(capsys.readouterr().out) == []


@pytest.mark.parametrize(("asked", "kept"), [(None, 30), (5, 5), (600, 30)])
def test_tensorboard_is_flushed_every_half_minute_or_as_often_as_asked(asked, kept, train):
    flags = [] if asked is None else ["--trainer.logger.flush_secs", asked]
    saved = yaml.safe_load((train("fit", *flags) / "config.yaml").read_text())
    assert saved["trainer"]["logger"]["init_args"]["flush_secs"] == kept


def test_pretraining_writes_lines_too(train, monkeypatch, capsys):
    flags = [part for part in train.tiny if not part.startswith("--figures")]
    flags.remove("0")
    monkeypatch.chdir(train.folder)
    tasks = ["--tasks", "{sts: Sts}", "--data.corpus.held_out", "0.2"]
    monkeypatch.setattr("sys.argv", ["pretrain.py", "fit", *flags, *tasks, *QUICK, *EACH_STEP])
    run(PretrainCLI, MaskedLMModule, MaskedLMDataModule)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("step ")]
    number = r"\d+\.\d+"
    assert re.fullmatch(rf"step 1/2 \(50 %\)  loss: mlm {number}  \d+ examples/s  \d+ s left", lines[0])
    scores = rf"mlm loss {number}, mlm perplexity {number}, mlm accuracy {number}"
    assert re.fullmatch(rf"step 2/2 \(100 %\)  validation: {scores}  took \d s", lines[1])
