"""Files that are not those of an encoder, as users have them: each is refused in a sentence, or loads."""

import json
import logging
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import BertModel

from backbones import build_encoder, load_encoder, load_tokenizer
from backbones.packages import resolve
from tests.backbones.families import write_backbone

TEXTS = ["the cat is good and slow", "how can i learn to play chess at home"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_backbone("bert", tmp_path / "backbone", TEXTS)


def change_config(folder: Path, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def write_bin(folder: Path, content: object) -> None:
    (folder / "model.safetensors").unlink()
    torch.save(content, folder / "pytorch_model.bin")


def empty_bin(folder: Path) -> None:
    write_bin(folder, {})
    (folder / "pytorch_model.bin").write_bytes(b"")


def remove_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def damage_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")


def damage_config(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def remove_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def test_weights_in_several_files_load(folder: Path) -> None:
    model = BertModel.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="6KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 1

    found = load_encoder(str(folder)).state_dict()
    assert all(torch.equal(found[name], weight) for name, weight in model.state_dict().items())


def test_weights_of_layers_behind_the_encoder_are_said_to_be_left_out(folder: Path, caplog) -> None:
    """As sentence-transformers writes them."""
    for name in ("1_Pooling", "2_Dense", "3_Normalize"):
        (folder / name).mkdir()
    (folder / "1_Pooling" / "config.json").write_text("{}")
    shutil.copy(folder / "model.safetensors", folder / "2_Dense")

    with caplog.at_level(logging.INFO, logger="backbones.loading"):
        load_encoder(str(folder))

    assert caplog.messages == [f"backbone {folder}: left out 2_Dense"]


@pytest.mark.parametrize("left_out", ["", "model.safetensors", "config.json"])
def test_an_adapter_is_no_backbone(folder: Path, left_out: str) -> None:
    """Even where its model's weights lie beside it: transformers would build it into the model unasked."""
    get_peft_model(BertModel.from_pretrained(folder), LoraConfig(r=2, target_modules=["query"])).save_pretrained(folder)
    if left_out:
        (folder / left_out).unlink()
    with pytest.raises(
        ValueError, match=r"backbone: is an adapter, by its adapter_config\.json \(expected a whole model"
    ):
        load_encoder(str(folder))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda folder: change_config(folder, quantization_config={"quant_method": "bitsandbytes"}),
            r"its weights are quantised \(expected weights in float32, bfloat16 or float16\)$",
        ),
        (
            lambda folder: change_config(folder, hidden_act="fancy"),
            r"the weights cannot be loaded \(KeyError: 'fancy'\)",
        ),
        (
            lambda folder: change_config(folder, model_type=["bert"]),
            r"is a \['bert'\] model, which transformers \S+ does",
        ),
        (
            lambda folder: (folder / "config.json").write_text("[]"),
            r"its configuration is a list \(expected a mapping\)",
        ),
        (
            lambda folder: (folder / "config.json").write_text('"bert"'),
            r"its configuration is a str \(expected a mapping\)",
        ),
        (lambda folder: write_bin(folder, [1, 2]), r"the weights cannot be loaded \(TypeError: cannot convert"),
        (empty_bin, r"the weights cannot be loaded \(EOFError\)$"),
        (remove_weights, r"no weights \(expected model\.safetensors or pytorch_model\.bin in .*backbone\)"),
        (damage_weights, r"the weights cannot be loaded \(.*header"),
        (damage_config, r"cannot be loaded \(.*config\.json' is not a valid JSON file\.\)$"),
        (remove_config, r"no config\.json in .*backbone$"),
        (
            lambda folder: change_config(folder, model_type="neobert", auto_map={"AutoModel": "model.NeoBERT"}),
            r"is a 'neobert' model, which transformers \S+ does not have, and code that comes with",
        ),
        (
            lambda folder: (folder / "config.json").write_text('{"model_type": "t5"}'),
            r"is a 't5' model, an encoder with a decoder",
        ),
        (
            lambda folder: change_config(folder, hidden_size="wide"),
            r"its configuration is not that of a 'bert' model \(.*'hidden_size'",
        ),
        (lambda folder: change_config(folder, model_type="vit"), r"is a 'vit' model \(expected an encoder of text\)"),
        (
            lambda folder: change_config(folder, intermediate_size=32),
            r"encoder\.layer\.0\.intermediate\.dense\.bias has shape \(24,\) \(expected \(32,\) by config\.json\)",
        ),
        (lambda folder: change_config(folder, is_decoder=True), r"is a decoder \(expected is_decoder and add_cross"),
        (lambda folder: change_config(folder, num_hidden_layers=0), r"num_hidden_layers is 0 \(expected 1 or more\)"),
        (
            lambda folder: change_config(folder, position_embedding_type="relative_key"),
            r"position embeddings are 'relative_key' \(expected 'absolute'\)",
        ),
    ],
)
def test_a_folder_that_holds_no_fitting_model_is_refused(
    folder: Path, change: Callable[[Path], None], message: str
) -> None:
    change(folder)
    with pytest.raises(ValueError, match=rf"^backbone {re.escape(str(folder))}: {message}"):
        load_encoder(str(folder))


@pytest.mark.parametrize("load", [load_encoder, load_tokenizer])
@pytest.mark.parametrize("family", ["roberta", "mpnet"])
def test_positions_that_count_from_padding_need_a_padding_token(
    family: str, load: Callable[[str], Any], tmp_path: Path
) -> None:
    folder = write_backbone(family, tmp_path / "backbone", TEXTS)
    change_config(folder, pad_token_id=None)
    with pytest.raises(ValueError, match=r"backbone: pad_token_id is None \(expected the padding token, from which"):
        load(str(folder))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"version": "1.0", "model": {"type": "Fancy"}}', r"KeyError: 'added_tokens'"),
        ('{"version": "1.0", "added_tokens": [], "model": {"type": "WordPiece", "vocab": {}}}', r".*"),
        ("version https://git-lfs.github.com/spec/v1", r"Expecting value"),
    ],
)
def test_a_damaged_tokenizer_is_refused(folder: Path, content: str, reason: str) -> None:
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(ValueError, match=rf"backbone: its tokenizer cannot be loaded \({reason}"):
        load_tokenizer(str(folder))


def test_a_vocabulary_without_a_token_for_unknown_words_is_refused(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["model"]["unk_token"] = "[NONE]"
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    with pytest.raises(
        ValueError, match=r"backbone: its tokenizer cannot read a text \(Exception: WordPiece error: Miss"
    ):
        load_tokenizer(str(folder))


@pytest.mark.parametrize(
    ("name", "message"),
    [("~nobody-here/bert", "no such folder"), ("~nobody-here", "no such folder"), ("a" * 300, "no such folder")],
)
def test_a_name_that_no_file_can_have_is_refused(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=rf"^backbone {re.escape(name)}: {message}"):
        resolve(name)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"hidden_act": "fancy"}, r"^backbone_config: no model can be built of it \(KeyError: 'fancy'\)"),
        (
            {"hidden_size": 16, "num_attention_heads": 3},
            r"^backbone_config: no model can be built of it \(The hidden size \(16\) is not a multiple",
        ),
        ({"vocab_size": -1}, r"^backbone_config: no model can be built of it \(\w+Error"),
    ],
)
def test_a_shape_that_no_model_has_is_refused(own: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_encoder(own)


def test_an_empty_name_is_not_the_current_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a variable of the shell that is not set."""
    monkeypatch.chdir(folder)
    with pytest.raises(ValueError, match=r"^backbone '': no name \(expected a folder, a name on the hub or package:"):
        resolve("")
