"""Exports read texts that no dev split holds as the checkpoint does."""

import contextlib
import io
import json
import shutil

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from backbones import load_tokenizer
from inference.onnx_format import FILE, answer_texts, export_heads, group_heads
from inference.onnx_format import _write_labels as write_labels
from inference.sentence_transformers_format import build_embedder
from inference.transformers_format import _usage as usage
from inference.transformers_format import build_classifier, save_tokenizer
from tasks import Quora, Regression, Source, Sst, Sts
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


def run_usage(predictor, task, folder):
    """Write a task's folder, and return what the code of its card leaves behind."""
    build_classifier(predictor, task).save_pretrained(folder)
    save_tokenizer(predictor, folder)
    names = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(usage(predictor.tasks[task]).replace('"DIR"', repr(str(folder))), names)
    return {**names, "printed": printed.getvalue().splitlines()}


def test_the_code_of_the_card_cuts_long_texts_as_in_training(tiny_backbone, tokenizer, tmp_path):
    pytest.importorskip("sentence_transformers")
    tasks = {"one": Sst(), "pair": Quora(encoding="cross")}
    predictor = build_predictor(tiny_backbone, tokenizer, tasks=tasks)
    predictor.max_length = 12
    long, other = "a good film " * 4, "bad the cat"
    found = run_usage(predictor, "one", tmp_path / "one")["classify"]([long], top_k=None)[0]
    shares = {row["label"]: row["score"] for row in found}
    assert shares == pytest.approx(predictor.predict("one", [long])[0].probabilities, abs=1e-6)
    names, expected = run_usage(predictor, "pair", tmp_path / "pair"), probabilities(predictor, "pair", [(long, other)])
    by_pipeline = names["classify"]([{"text": long, "text_pair": other}])[0]["score"]
    assert by_pipeline == pytest.approx(expected.max(), abs=1e-6)
    np.testing.assert_allclose(names["model"].predict([(long, other)], apply_softmax=True), expected, atol=1e-6)


def test_the_code_of_the_card_prints_scores_of_the_labels_range(tiny_backbone, tokenizer, tmp_path):
    pytest.importorskip("sentence_transformers")
    stars = Regression(source=Source(train="a.csv"), texts=("text",), label="stars", low=1, high=10)
    tasks = {"one": stars, "pair": Sts(encoding="cross")}
    predictor = build_predictor(tiny_backbone, tokenizer, tasks=tasks)
    for task, example, lines in (
        ("one", "A warm, funny film.", 1),
        ("pair", ("How do I cook rice?", "How is rice cooked?"), 2),
    ):
        expected = [predictor.predict(task, [example])[0].score]
        printed = run_usage(predictor, task, tmp_path / task)["printed"]
        assert len(printed) == lines
        assert all(json.loads(line) == pytest.approx(expected, abs=1e-4) for line in printed)


@pytest.mark.parametrize(
    ("task", "activation"),
    [(Sts(encoding="cross"), "linear.Identity"), (Quora(encoding="cross"), "activation.Sigmoid")],
    ids=["score", "classes"],
)
def test_what_a_backbone_was_a_classifier_of_does_not_reach_an_export(task, activation, tiny_backbone, tmp_path):
    pytest.importorskip("sentence_transformers")
    backbone = tmp_path / "backbone"
    shutil.copytree(tiny_backbone, backbone)
    config = json.loads((backbone / "config.json").read_text())
    config["problem_type"] = "regression"
    config["sentence_transformers"] = {"activation_fn": f"torch.nn.modules.{activation}"}
    (backbone / "config.json").write_text(json.dumps(config))
    predictor = build_predictor(backbone, load_tokenizer(str(backbone)), tasks={"one": task})
    names, pair = run_usage(predictor, "one", tmp_path / "out"), ("a good film", "the cat")
    prediction = predictor.predict("one", [pair])[0]
    by_pipeline = names["classify"]([{"text": pair[0], "text_pair": pair[1]}])[0]["score"]
    if prediction.score is None:
        expected = list(prediction.probabilities.values())
        assert by_pipeline == pytest.approx(max(expected), abs=1e-5)
        np.testing.assert_allclose(names["model"].predict([pair], apply_softmax=True)[0], expected, atol=1e-5)
    else:
        assert 5 * by_pipeline == pytest.approx(prediction.score, abs=1e-4)
        assert 5 * names["model"].predict([pair])[0] == pytest.approx(prediction.score, abs=1e-4)
