"""Exports read texts that no dev split holds as the checkpoint does."""

import json

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from backbones import load_tokenizer
from inference.onnx_format import FILE, answer_texts, check_packages, export_heads, group_heads
from inference.onnx_format import _write_labels as write_labels
from inference.sentence_transformers_format import build_embedder
from inference.transformers_format import build_classifier, save_tokenizer
from tasks import Quora, Sst
from tests.inference.test_transformers_format import build_predictor

SPECIAL = ["a [SEP] film", "a [MASK] [PAD] film", "a film"]


def probabilities(predictor, task, texts):
    """Return the checkpoint's probabilities, (n, C)."""
    return np.array([list(one.probabilities.values()) for one in predictor.predict(task, texts)])


@pytest.mark.parametrize("as_text", [False, True])
def test_transformers_reads_special_tokens_as_in_training(as_text, tiny_backbone, tmp_path):
    tokenizer = load_tokenizer(str(tiny_backbone), special_tokens_as_text=as_text)
    predictor = build_predictor(tiny_backbone, tokenizer, tasks={"one": Sst()})
    build_classifier(predictor, "one").save_pretrained(tmp_path)
    save_tokenizer(predictor, tmp_path)
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    inputs = AutoTokenizer.from_pretrained(tmp_path)(SPECIAL, padding=True, return_tensors="pt")
    with torch.no_grad():
        found = model(**inputs).logits.softmax(dim=1)
    np.testing.assert_allclose(found, probabilities(predictor, "one", SPECIAL), atol=1e-5)


@pytest.mark.parametrize("as_text", [False, True])
def test_onnx_reads_special_tokens_as_in_training(as_text, tiny_backbone, tmp_path):
    pytest.importorskip("onnxruntime")
    tokenizer = load_tokenizer(str(tiny_backbone), special_tokens_as_text=as_text)
    predictor = build_predictor(tiny_backbone, tokenizer, tasks={"one": Sst()})
    export_heads(predictor, group_heads(predictor, ["one"])["single"], tmp_path / FILE)
    write_labels(predictor, ["one"], tmp_path, "single")
    found = answer_texts(tmp_path, [(text,) for text in SPECIAL], file=FILE)["one"]
    np.testing.assert_allclose(found, probabilities(predictor, "one", SPECIAL), atol=1e-5)


@pytest.mark.parametrize("as_text", [False, True])
def test_sentence_transformers_reads_special_tokens_as_in_training(as_text, tiny_backbone, tmp_path):
    library = pytest.importorskip("sentence_transformers")
    tokenizer = load_tokenizer(str(tiny_backbone), special_tokens_as_text=as_text)
    predictor = build_predictor(tiny_backbone, tokenizer, tasks={"one": Quora(encoding="bi")})
    build_embedder(predictor, "one").save(str(tmp_path / "out"), create_model_card=False)
    found = library.SentenceTransformer(str(tmp_path / "out"), device="cpu").encode(SPECIAL)
    np.testing.assert_allclose(found, predictor.embed("one", SPECIAL), atol=1e-5)
