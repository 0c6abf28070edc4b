"""The export of a backbone whose configuration unties the decoder: ours is tied, and the folder has to say so."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForMaskedLM

from backbones import load_tokenizer
from callbacks.export import export_masked_lm
from lightning_modules import MaskedLMModule


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_the_exported_decoder_is_the_word_embeddings(
    family: str, tiny_backbone: Path, backbone_of: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "untied"
    shutil.copytree(tiny_backbone if family == "bert" else backbone_of(family), folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": False}))
    module = MaskedLMModule(str(folder))
    with torch.no_grad():
        module.backbone.bert.get_input_embeddings().weight.add_(0.5)  # as a training would

    export_masked_lm(module, load_tokenizer(str(folder)), tmp_path / "export")

    assert AutoConfig.from_pretrained(tmp_path / "export").tie_word_embeddings
    loaded = AutoModelForMaskedLM.from_pretrained(tmp_path / "export")
    embeddings = module.backbone.bert.get_input_embeddings().weight
    assert torch.equal(loaded.get_output_embeddings().weight, embeddings)
    assert torch.equal(loaded.get_input_embeddings().weight, embeddings)
