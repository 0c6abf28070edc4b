"""`--trainer.precision auto`, and a precision that is slower than fp32 here."""

import json
import re
from pathlib import Path

import pytest
import torch

from runtime import precision
from tests.cli.command_line import CommandLine, read_report

MEASURED = {"slow": 0.1, "fast": 2.0}


@pytest.fixture
def measure(train: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Give the probe's result, in a cache of its own."""

    def as_measured(kind: str) -> list[object]:
        monkeypatch.setattr(precision, "probe", lambda dtype, device: MEASURED[kind])
        return ["--data.cache_dir", tmp_path / kind]

    return as_measured


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    lines = [record.getMessage() for record in caplog.records if record.name == "runtime.precision"]
    caplog.clear()
    return lines


def saved_precision(folder: Path) -> str:
    (found,) = re.findall(r"^  precision: (.*)$", (folder / "config.yaml").read_text(), re.MULTILINE)
    return found


@pytest.mark.parametrize(("kind", "chosen"), [("slow", "32-true"), ("fast", "bf16-mixed")])
def test_auto_takes_what_is_faster_says_so_and_saves_it(kind, chosen, train, measure, caplog):
    folder = train("fit", "--trainer.precision", "auto", *measure(kind))
    (line,) = said(caplog)
    assert line.startswith(f"precision: {chosen} (products in bf16 ")
    assert read_report(folder)["precision"] == chosen
    assert saved_precision(folder) == chosen
    same = train("fit", "--trainer.precision", chosen, *measure(kind))
    assert read_report(same)["weights_sha256"] == read_report(folder)["weights_sha256"]


@pytest.mark.parametrize("subcommand", ["validate", "test", "predict"])
def test_auto_is_what_a_trained_model_computes_in_too(subcommand, train, measure, caplog):
    train("fit")
    caplog.clear()
    train(subcommand, "--ckpt_path", "last", "--trainer.precision", "auto", *measure("fast"))
    assert [line.partition(" (")[0] for line in said(caplog)] == ["precision: bf16-mixed"]


def test_a_resumed_training_keeps_its_precision_whatever_is_faster_now(train, measure, caplog):
    begun = train("fit", "--trainer.precision", "auto", *measure("fast"))
    more = ["--trainer.max_steps", 4, "--ckpt_path", begun / "checkpoints" / "last.ckpt"]
    by_name, other = (train("fit", *more, "--trainer.precision", name) for name in ("bf16-mixed", "32-true"))
    caplog.clear()
    resumed = train("fit", *more, "--trainer.precision", "auto", *measure("slow"))
    assert "precision: bf16-mixed, as the training that goes on" in caplog.messages
    (warned,) = said(caplog)
    assert warned.startswith("precision bf16-mixed: products in bf16 take 10 times as long as in fp32 on this cpu")
    assert read_report(resumed)["precision"] == "bf16-mixed"
    assert read_report(resumed)["weights_sha256"] == read_report(by_name)["weights_sha256"]
    assert read_report(resumed)["weights_sha256"] != read_report(other)["weights_sha256"]


def test_a_checkpoint_that_does_not_say_its_precision_is_not_resumed_with_auto(train, measure, capsys):
    folder = train("fit")
    path = folder / "checkpoints" / "last.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    del checkpoint["callbacks"]["KeepPrecision"]
    torch.save(checkpoint, path)
    train.refuse("fit", "--trainer.precision", "auto", "--ckpt_path", path, *measure("fast"))
    assert "last.ckpt does not say what its training computed in (expected that one by its" in capsys.readouterr().err


def test_weights_only_are_refused_as_ever_with_auto_too(train, measure, capsys):
    train("fit")
    train.refuse("fit", "--trainer.precision", "auto", "--ckpt_path", "best", *measure("fast"))
    assert "the checkpoint holds weights only, training cannot go on from it" in capsys.readouterr().err


def test_a_precision_that_is_slower_is_told_once_with_the_factor_and_a_fine_one_is_not(train, measure, caplog):
    train("fit", "--trainer.precision", "bf16-mixed", *measure("slow"))
    (line,) = said(caplog)
    assert line.startswith("precision bf16-mixed: products in bf16 take 10 times as long as in fp32 on this cpu (")
    train("fit", "--trainer.precision", "bf16-mixed", *measure("fast"))
    train("fit", *measure("slow"))
    assert said(caplog) == []


def test_the_real_probe_runs_once_and_is_remembered(train, tmp_path, caplog):
    cache = ["--data.cache_dir", tmp_path / "cache"]
    first = train("fit", "--trainer.precision", "auto", *cache)
    (line,) = said(caplog)
    again = train("fit", "--trainer.precision", "auto", *cache)
    assert said(caplog) == [line]
    speedup = list(json.loads((tmp_path / "cache" / "precision.json").read_text()).values())
    assert len(speedup) == 1
    assert 0.0005 < speedup[0] < 100
    assert read_report(first)["precision"] == read_report(again)["precision"]


def test_pretraining_settles_its_precision_too(tiny_project):
    project = tiny_project("pretrain.py", trainer__max_steps=2, data__corpus__held_out=0.3, trainer__precision="auto")
    ended = project.run()
    assert ended.code == 0, ended.output
    chosen = project.report(0)["precision"]
    assert chosen in ("32-true", "bf16-mixed")
    assert f"precision: {chosen} (products in bf16 " in ended.output
