"""Adapters, and checkpoints of the trained part alone."""

import shutil

import pytest
import torch

from backbones import load_encoder
from lightning_modules import MultitaskModule
from tests.cli.command_line import best_checkpoint, read_report

LORA, DORA, PALS = ("Lora", "r", "2"), ("Lora", "dora", "true"), ("Pals", "frozen", "true")
FEW = [(LORA, "cross"), (DORA, "bi"), (PALS, "cross")]  # the others are slow
OTHERS = [(LORA, "bi"), (DORA, "cross"), (PALS, "bi")]


@pytest.mark.parametrize(
    ("adapter", "encoding"), [*FEW, *(pytest.param(*other, marks=pytest.mark.slow) for other in OTHERS)]
)
def test_an_adapter_trains_alone_and_its_checkpoint_too(adapter, encoding, train, tiny_backbone, tmp_path):
    kind, option, value = adapter
    flags = ["--model.adapter", kind, f"--model.adapter.{option}", value, "--tasks.sts.encoding", encoding]
    small = train("fit", *flags, "--model.save_trainable_only", "true", "--trainer.precision", "bf16-mixed")
    weights = torch.load(best_checkpoint(small), weights_only=True)["state_dict"]
    assert {name.split(".")[0] for name in weights} == {"backbone", "heads"}
    own = {name for name in weights if name.startswith("backbone.")}
    assert own
    assert all("lora_" in name or name.startswith("backbone.task_layers.") for name in own)

    loaded = MultitaskModule.load_from_checkpoint(best_checkpoint(small))
    original = load_encoder(str(tiny_backbone)).state_dict()
    found = {name.replace(".base_layer", ""): tensor for name, tensor in loaded.backbone.bert.state_dict().items()}
    for name, tensor in original.items():
        assert torch.equal(found[name], tensor), name
    for name in own:
        assert torch.equal(loaded.state_dict()[name], weights[name])
    metrics = read_report(small)["metrics"]
    again = train("validate", *flags, "--ckpt_path", "best", "--trainer.precision", "bf16-mixed")
    assert read_report(again)["metrics"] == metrics


def test_a_trained_part_is_not_put_on_another_backbone(train, tiny_backbone, tmp_path, capsys):
    train("fit", "--model.adapter", "Lora", "--model.save_trainable_only", "true")
    other = tmp_path / "other"
    shutil.copytree(tiny_backbone, other)
    bert = load_encoder(str(tiny_backbone))
    bert.encoder.layer[0].output.dense.bias.data += 1
    bert.save_pretrained(other)
    train.refuse("validate", "--model.adapter", "Lora", "--model.backbone", other, "--ckpt_path", "best")
    assert "the checkpoint holds the trained part only" in capsys.readouterr().err
    train.refuse("validate", "--model.adapter", "Lora", "--model.adapter.alpha", 8, "--ckpt_path", "best")
    assert "another meaning: backbone.adapter.alpha was 16.0, is 8.0" in capsys.readouterr().err
