"""A checkpoint read under other settings: what its numbers depend on is refused, what may be meant is told."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml

from cli import PretrainCLI, run
from datamodules import MaskedLMDataModule
from lightning_modules import MaskedLMModule
from tests.cli.command_line import QUICK, ROOT, CommandLine, best_checkpoint, read_report

ROWS = [
    {"id": number, "one": f"a film {number}", "two": f"the song {number}", "mood": ("neg", "pos", "so")[number % 3]}
    for number in range(12)
]
OWN = """
tasks:
  mood:
    class_path: PairClassification
    init_args: {source: {train: own.jsonl, dev: own.jsonl}, texts: [one, two], label: mood, classes: [neg, pos, so]}
  likeness: {class_path: PairRegression, init_args: {
    source: {train: own.jsonl, dev: own.jsonl}, texts: [one, two], label: id, low: 0, high: 11, encoding: bi}}
"""


@pytest.fixture(scope="module")
def own(
    make_command: Callable[[Path], CommandLine], tmp_path_factory: pytest.TempPathFactory
) -> tuple[CommandLine, Path]:
    """A command line with a trained run of two tasks, and its best checkpoint."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (folder / "own.yaml").write_text(OWN)
    command = make_command(folder)
    return command, best_checkpoint(command("fit", "--data.root", folder, config=folder / "own.yaml"))


MISREADINGS = {
    "classes": (["--tasks.mood.classes", "[pos, neg, so]"], "tasks.mood.classes.0 was 'neg', is 'pos'"),
    "texts": (["--tasks.mood.texts", "[two, one]"], "tasks.mood.texts.one was 'first', is 'second'"),
    "range": (["--tasks.likeness.high", 22], "tasks.likeness.head.output.high was 11.0, is 22.0"),
    "loss": (
        ["--tasks.mood.head", "LinearHead", "--tasks.mood.head.loss", "OneVsAll"],
        "tasks.mood.head.output.class was 'ClassOutput', is 'OneVsAllOutput'",
    ),
    "criterion": (
        ["--tasks.likeness.head", "CosineHead", "--tasks.likeness.head.loss", "AbsoluteError"],
        "tasks.likeness.head.output.criterion was 'mse', is 'l1'",
    ),
    "head": (["--tasks.mood.head", "MlpHead"], "tasks.mood.head.class was 'LinearHead', is 'MlpHead'"),
    "encoding": (["--tasks.mood.encoding", "bi"], "tasks.mood.encoding was 'cross', is 'bi'"),
    "pooling": (["--model.pooling", "mean"], "backbone.pooling was 'pooler', is 'mean'"),
}


@pytest.mark.parametrize("subcommand", ["validate", "predict"])
@pytest.mark.parametrize("misreading", MISREADINGS)
def test_a_checkpoint_is_not_read_with_another_meaning(subcommand, misreading, own, capsys):
    command, checkpoint = own
    flags, named = MISREADINGS[misreading]
    config, root = command.folder / "own.yaml", ["--data.root", command.folder]
    command.refuse(subcommand, *root, *flags, "--ckpt_path", checkpoint, config=config)
    said = capsys.readouterr().err
    assert f"the checkpoint's numbers have another meaning: {named}" in said
    assert "init_from" not in said


@pytest.mark.parametrize("misreading", ["classes", "loss", "pooling"])
def test_a_training_does_not_go_on_with_another_meaning(misreading, own, capsys):
    command, checkpoint = own
    flags, named = MISREADINGS[misreading]
    last = checkpoint.with_name("last.ckpt")
    config, root = command.folder / "own.yaml", ["--data.root", command.folder, "--data.allow_changes", "true"]
    command.refuse("fit", *root, *flags, "--ckpt_path", last, "--trainer.max_steps", 4, config=config)
    said = capsys.readouterr().err
    assert f"the checkpoint's numbers have another meaning: {named}" in said
    advice = "; --model.init_from in place of --ckpt_path starts a new training from its backbone and heads that fit)"
    assert (advice in said) == (misreading != "pooling")


def test_what_may_be_meant_is_told_and_scored(own, caplog):
    command, checkpoint = own
    flags = ["--data.max_length", 6, "--tasks.mood.average_orders", "true", "--tasks.likeness.texts", "[mood, id]"]
    config = command.folder / "own.yaml"
    before = read_report(checkpoint.parent.parent)["metrics"]
    same = command("validate", "--data.root", command.folder, "--ckpt_path", checkpoint, config=config)
    assert read_report(same)["metrics"] == before
    assert "not as in training" not in caplog.text

    other = command("validate", "--data.root", command.folder, *flags, "--ckpt_path", checkpoint, config=config)
    assert read_report(other)["metrics"] != before
    assert [message for message in caplog.messages if message.startswith("not as in training")] == [
        "not as in training: tasks.mood.average_orders was False, is True; tasks.likeness.texts was 'one, two', is "
        "'mood, id'",
        "not as in training: max_length was 128, is 6",
    ]


def change_json(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"num_attention_heads": 4}, "backbone.num_attention_heads was 2, is 4"),
        ({"hidden_act": "relu"}, "backbone.hidden_act was 'gelu', is 'relu'"),
        ({"layer_norm_eps": 1e-3}, "backbone.layer_norm_eps was 1e-12, is 0.001"),
    ],
)
def test_a_backbone_of_another_architecture_is_refused(changes, named, own, tiny_backbone, tmp_path, capsys):
    command, checkpoint = own
    other = shutil.copytree(tiny_backbone, tmp_path / "other")
    flags = ["--data.root", command.folder, "--model.backbone", other, "--ckpt_path", checkpoint]
    change_json(other / "config.json", hidden_dropout_prob=0.5)  # of no meaning
    command("validate", *flags, config=command.folder / "own.yaml")
    change_json(other / "config.json", **changes)
    command.refuse("validate", *flags, config=command.folder / "own.yaml")
    assert f"another meaning: {named}" in capsys.readouterr().err


def test_a_backbone_with_another_tokenizer_is_refused(own, tiny_backbone, tmp_path, capsys):
    command, checkpoint = own
    other = shutil.copytree(tiny_backbone, tmp_path / "other")
    words = (other / "vocab.txt").read_text().splitlines()
    (other / "vocab.txt").write_text("\n".join([*words[:5], *reversed(words[5:])]) + "\n")
    config = command.folder / "own.yaml"
    flags = ["--data.root", command.folder, "--model.backbone", other]
    command.refuse("predict", *flags, "--ckpt_path", checkpoint, config=config)
    assert "the checkpoint's numbers have another meaning: tokenizer.vocabulary was '" in capsys.readouterr().err


def test_a_checkpoint_without_meaning_is_read_and_that_is_told(own, tmp_path, caplog):
    command, checkpoint = own
    found = torch.load(checkpoint, weights_only=True)
    assert yaml.safe_load(yaml.safe_dump(found["meaning"])) == found["meaning"]  # plain data
    del found["meaning"], found["MultitaskDataModule"]["meaning"]
    torch.save(found, tmp_path / "old.ckpt")
    flags = ["--data.root", command.folder, "--ckpt_path", tmp_path / "old.ckpt"]
    command("validate", *flags, config=command.folder / "own.yaml")
    assert "does not say what its numbers mean" in caplog.text


def test_pretraining_is_not_evaluated_with_another_activation(tiny_backbone, root, tmp_path, monkeypatch, capsys):
    other = shutil.copytree(tiny_backbone, tmp_path / "other")
    change_json(other / "config.json", hidden_act="relu")
    monkeypatch.chdir(tmp_path)

    def pretrain(subcommand: str, backbone: Path, *flags: str) -> None:
        data = ["--data.root", str(root), "--data.cache_dir", str(tmp_path), "--data.corpus.held_out", "0.2"]
        config = ["-c", str(ROOT / "configs" / "pretrain.yaml"), "--model.backbone", str(backbone)]
        monkeypatch.setattr(sys, "argv", ["pretrain.py", subcommand, *config, *data, *QUICK, *flags])
        run(PretrainCLI, MaskedLMModule, MaskedLMDataModule)

    pretrain("fit", tiny_backbone)
    for subcommand in ("validate", "fit"):
        with pytest.raises(SystemExit):
            pretrain(subcommand, other, "--ckpt_path", "last")
        assert "another meaning: backbone.hidden_act was 'gelu', is 'relu'" in capsys.readouterr().err
