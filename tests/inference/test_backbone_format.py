from pathlib import Path

import pytest
import torch
from transformers import AutoModel

from backbones import Lora, Pals
from backbones.lora import Target
from inference.backbone_format import export_backbone
from inference.export import main
from tasks import InputError
from tests.tiny import build_module, make_trainer, open_data, train_batches

TARGETS: tuple[Target, ...] = ("query", "value", "output")


@pytest.fixture
def checkpoint(tiny_backbone, cs224n_root, tmp_path):
    def train(adapter):
        module = build_module(tiny_backbone, adapter=adapter)
        data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache")
        trainer = make_trainer(tmp_path, max_steps=3)
        trainer.fit(module, datamodule=data)
        trainer.save_checkpoint(tmp_path / "last.ckpt")
        return tmp_path / "last.ckpt", module, train_batches(data)["sst"]

    return train


@pytest.mark.parametrize("adapter", [None, Lora(targets=TARGETS), Lora(dora=True)], ids=["plain", "lora", "dora"])
def test_the_folder_gives_the_vectors_of_the_trained_backbone(adapter, checkpoint, tiny_backbone, tmp_path):
    path, module, batch = checkpoint(adapter)
    export_backbone(path, tmp_path / "out")
    bert = AutoModel.from_pretrained(tmp_path / "out").eval()
    ids = torch.tensor_split(batch.tokens.input_ids, batch.tokens.cu_seqlens[1:-1])
    with torch.no_grad():
        expected = module.eval().backbone(batch.tokens)
        found = torch.cat([bert(input_ids=sequence[None]).pooler_output for sequence in ids])
        before = torch.cat([AutoModel.from_pretrained(tiny_backbone)(sequence[None]).pooler_output for sequence in ids])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    assert not torch.allclose(before, expected, atol=1e-4)
    assert (tmp_path / "out" / "tokenizer.json").is_file()


def test_what_a_bert_cannot_hold_or_a_filled_folder_is_refused(checkpoint, tmp_path, capsys):
    path, _, _ = checkpoint(Pals(num_heads=2))
    with pytest.raises(InputError, match="its backbone has PALs"):
        export_backbone(path, tmp_path / "out")
    for arguments, message in (([path, tmp_path], "holds something already"), (["none.ckpt", "x"], "no such file")):
        assert main([*map(str, arguments), "--format", "backbone"]) == 2
        assert message in capsys.readouterr().err
    assert not Path("x").exists()


def test_a_tokenizer_that_has_changed_since_the_training_is_refused(checkpoint, tmp_path):
    path, _, _ = checkpoint(None)
    found = torch.load(path, weights_only=True)
    found["MultitaskDataModule"]["meaning"]["tokenizer"]["vocabulary"] = "another"
    torch.save(found, path)
    with pytest.raises(InputError, match=r"another meaning: tokenizer\.vocabulary was 'another'"):
        export_backbone(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
