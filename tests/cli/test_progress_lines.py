"""What a training writes where there is no terminal."""

import re

import pytest
import yaml

from cli import PretrainCLI, run
from datamodules import MaskedLMDataModule
from lightning_modules import MaskedLMModule
from tests.cli.command_line import QUICK

EACH_STEP = ["--trainer.log_every_n_steps", "1"]
PRETRAINING = ["--tasks", "{sts: Sts}", "--data.corpus.held_out", "0.2"]


class FitOnly(PretrainCLI):
    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        return {"fit": PretrainCLI.subcommands()["fit"]}


def lines(out: str) -> list[str]:
    return [line for line in out.splitlines() if line.startswith("step ")]


def test_a_file_gets_lines_also_where_a_terminal_would_get_no_bar(train, capsys):
    folder = train("fit", *EACH_STEP)
    kinds = [line.split("  ")[1].partition(":")[0] for line in lines(capsys.readouterr().out)]
    assert kinds == ["loss", "validation"]  # the second step comes within 30 s
    saved = yaml.safe_load((folder / "config.yaml").read_text())["trainer"]
    assert saved["logger"]["init_args"]["flush_secs"] == 30


@pytest.mark.slow
def test_a_bar_of_the_users_own_replaces_the_lines(train, capsys):
    train("fit", *EACH_STEP, "--trainer.max_steps", 2, "--trainer.callbacks", "TQDMProgressBar", quick=False)
    assert lines(capsys.readouterr().out) == []


def test_pretraining_writes_lines_too(train, monkeypatch, capsys):
    flags = train.tiny[: train.tiny.index("--figures.every_n_validations")]
    monkeypatch.chdir(train.folder)
    monkeypatch.setattr("sys.argv", ["pretrain.py", "fit", *flags, *PRETRAINING, *QUICK, *EACH_STEP])
    run(FitOnly, MaskedLMModule, MaskedLMDataModule)
    step, validation = lines(capsys.readouterr().out)
    number = r"(\d+\.\d+|nan)"
    assert re.fullmatch(rf"step 1/2 \(50 %\)  loss: mlm {number}  \d+ examples/s  \d+ s left", step)
    scores = rf"mlm loss {number}, mlm perplexity {number}, mlm accuracy {number}"
    assert re.fullmatch(rf"step 2/2 \(100 %\)  validation: {scores}  took \d+ s", validation)
