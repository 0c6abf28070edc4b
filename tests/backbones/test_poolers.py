"""Which pooler a model's files have, and what sequences become without one."""

import logging
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification

from backbones import load_encoder
from backbones.families import default_pooling
from backbones.sentence_transformers_files import trained_pooling
from lightning_modules import MultitaskModule
from tasks import Sst
from tests.backbones.families import FAMILIES, tiny_model


@pytest.mark.parametrize("family", ["roberta", "mpnet"])
def test_the_dense_layer_of_a_trained_classifier_is_the_pooler(family, tmp_path, caplog):
    classifier = AutoModelForSequenceClassification.from_config(tiny_model(family).config)
    classifier.save_pretrained(tmp_path)

    with caplog.at_level(logging.INFO, logger="backbones.loading"):
        model = load_encoder(str(tmp_path))

    assert torch.equal(model.pooler.dense.weight, classifier.classifier.dense.weight)
    assert "the dense layer of its classifier is its pooler" in caplog.text
    assert "left out classifier.out_proj.bias, classifier.out_proj.weight" in caplog.text


@pytest.mark.parametrize("kind", [AutoModelForMaskedLM, AutoModelForSequenceClassification])
def test_the_trained_head_of_modernbert_is_its_pooler(kind, tmp_path, caplog):
    whole = kind.from_config(tiny_model("modernbert").config)
    whole.save_pretrained(tmp_path)

    with caplog.at_level(logging.INFO, logger="backbones.loading"):
        model = load_encoder(str(tmp_path))

    for name, weight in whole.head.state_dict().items():
        assert torch.equal(model.pooler.state_dict()[name], weight)
    assert "head." not in caplog.text  # nothing of it was left out
    assert "left out" in caplog.text


@pytest.mark.parametrize(
    ("family", "pooling"),
    [("roberta", "cls"), ("modernbert", "cls"), ("deberta-v2", "cls"), ("electra", "cls"), ("eurobert", "mean")],
)
def test_without_a_pooler_the_family_decides_and_the_log_says_so(family, pooling, tmp_path, caplog):
    model = tiny_model(family, with_pooler=False)
    model.save_pretrained(tmp_path)

    with caplog.at_level(logging.INFO):
        module = MultitaskModule({"sst": Sst()}, str(tmp_path))

    assert module.backbone.pooling == module.hparams["pooling"] == pooling
    way = {"own": "a forward of our own", "interface": "its own forward with our attention"}.get(
        FAMILIES[family][0], "its padded forward on groups of similar length"
    )
    told = f"backbone {tmp_path}: {family}, computed without padding by {way}; pooling {pooling} (its family's default)"
    assert told in caplog.messages
    with pytest.raises(ValueError, match=r"the backbone has no pooler \(choose pooling cls or mean"):
        MultitaskModule({"sst": Sst()}, str(tmp_path), pooling="pooler")


def test_the_log_says_how_weights_were_pooled_in_their_training(tmp_path, caplog):
    tiny_model("roberta").save_pretrained(tmp_path)
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(
        '{"pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true}'
    )

    with caplog.at_level(logging.INFO):
        MultitaskModule({"sst": Sst()}, str(tmp_path))
        MultitaskModule({"sst": Sst()}, str(tmp_path), pooling="mean")

    told = [message.rpartition("; ")[2] for message in caplog.messages if "computed without padding" in message]
    advice = "the weights were trained with mean: try --model.pooling mean, see docs/backbones.md"
    assert told == [f"pooling pooler ({advice})", "pooling mean"]


@pytest.mark.parametrize("text", ["[]", "{", '{"pooling_mode_max_tokens": true}'])
def test_where_no_pooling_is_known_the_log_is_silent(text, tmp_path):
    assert trained_pooling(str(tmp_path)) is None
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(text)
    assert trained_pooling(str(tmp_path)) is None


def test_modernbert_pools_as_its_classifier_does():
    for classifier_pooling in ("cls", "mean"):
        config = tiny_model("modernbert", classifier_pooling=classifier_pooling).config
        assert default_pooling(config, has_pooler=True) == "pooler"
        assert default_pooling(config, has_pooler=False) == classifier_pooling


def test_a_pooler_that_is_not_read_is_left_out_of_the_training(tmp_path: Path):
    tiny_model("roberta").save_pretrained(tmp_path)
    assert MultitaskModule({"sst": Sst()}, str(tmp_path), pooling="mean").backbone.bert.pooler is None
    assert MultitaskModule({"sst": Sst()}, str(tmp_path)).backbone.pooling == "pooler"
