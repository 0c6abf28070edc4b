import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import BertConfig

from backbones import Pals
from heads import LinearHead, MlpHead, OneVsAll, TrunkSettings
from inference import Predictor
from inference.export import main
from inference.model import TrainedModel
from inference.transformers_format import describe_thresholds, usage_of_scores, why_not
from tasks import MultiLabel, PairRegression, Quora, Source, Sst
from tests.inference.exports import PAIR_TASKS, dev_answers, run_card, run_elsewhere
from tests.tiny import build_module

PIPELINE = """
import json, sys, torch
from transformers import pipeline
texts = json.loads(sys.argv[2])
pipe = pipeline("text-classification", sys.argv[1], top_k=None)
inputs = [t[0] if len(t) == 1 else {"text": t[0], "text_pair": t[1]} for t in texts]
rows = [pipe(one) for one in inputs]
print(json.dumps([{e["label"]: e["score"] for e in (row[0] if isinstance(row[0], list) else row)} for row in rows]))
"""
CROSS_ENCODER = """
import json, sys
from sentence_transformers import CrossEncoder
texts = json.loads(sys.argv[2])
print(json.dumps(CrossEncoder(sys.argv[1], device="cpu").predict(texts, apply_softmax=True).tolist()))
"""


@pytest.fixture(scope="module")
def run(whole_run):
    return whole_run(**PAIR_TASKS).version(0)


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("transformers") / "out"
    main([str(run), str(folder), "--format", "transformers"])
    return folder


@pytest.mark.slow
def test_pipeline_and_cross_encoder_give_the_numbers_of_the_checkpoint(run, exported, cs224n_root, tmp_path):
    pytest.importorskip("sentence_transformers")
    texts, answers = dev_answers(run, cs224n_root)
    assert sorted(path.name for path in exported.iterdir()) == ["near", "same", "sst"]
    for task in ("sst", "same"):
        rows = run_elsewhere(PIPELINE, tmp_path, str(exported / task), json.dumps(texts[task]))
        found = [[row[str(number)] for number in range(len(row))] for row in rows]
        np.testing.assert_allclose(found, answers[task], atol=1e-5)
    scored = run_elsewhere(CROSS_ENCODER, tmp_path, str(exported / "same"), json.dumps(texts["same"]))
    np.testing.assert_allclose(scored, answers["same"], atol=1e-5)
    shares = run_elsewhere(CROSS_ENCODER, tmp_path, str(exported / "near"), json.dumps(texts["near"]))
    np.testing.assert_allclose([5 * share for share in shares], answers["near"], atol=1e-4)
    by_pipeline = run_elsewhere(PIPELINE, tmp_path, str(exported / "near"), json.dumps(texts["near"]))
    np.testing.assert_allclose([5 * row["similarity"] for row in by_pipeline], answers["near"], atol=1e-4)


@pytest.mark.slow
def test_the_code_of_the_card_runs_as_it_is(exported, tmp_path):
    pytest.importorskip("sentence_transformers")
    assert run_card(exported / "sst", tmp_path).count("'label'") == 5
    assert run_card(exported / "same", tmp_path).count("'label'") == 1
    share, classified = run_card(exported / "near", tmp_path).splitlines()
    assert 0 < float(share.strip("[]")) < 1
    assert "'similarity'" in classified


def test_the_card_and_the_configuration_say_what_the_labels_mean(exported):
    config = BertConfig.from_pretrained(exported / "sst")
    assert (config.id2label, config.problem_type) == (
        {number: str(number) for number in range(5)},
        "single_label_classification",
    )
    assert "score = 0 + 5 * share" in (exported / "near" / "README.md").read_text()
    assert (exported / "sst" / "model.safetensors").is_file()


def test_a_wide_range_is_written_with_all_its_digits():
    task = PairRegression(source=Source(dev="a.csv"), texts=("a", "b"), label="price", low=0.1, high=1234567.5)
    assert "low, high = 0.1, 1234567.5 " in usage_of_scores(task)


def test_thresholds_are_told_in_enough_digits_and_their_labels_are_no_markup():
    task = MultiLabel(source=Source(dev="a.csv"), texts=("a",), label="t", classes=("<b>", "c"))
    tuned = replace(task, thresholds={"<b>": 0.481594, "c": 0.5})
    assert describe_thresholds(tuned) == [
        "A label applies where its probability is above its threshold: \\<b\\> 0.481594, c 0.5."
    ]


def test_what_is_left_out_is_said_with_the_format_that_holds_it(run, tmp_path, capsys):
    assert main([str(run), str(tmp_path / "out"), "--format", "transformers", "--tasks", "sst", "sts"]) == 2
    assert "task sts: its sides are encoded one by one (--format sentence-transformers" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"tasks": {"one": Sst(head=MlpHead)}}, "its MlpHead is more than one linear layer (--format onnx"),
        ({"tasks": {"one": Sst()}, "pooling": "mean"}, "its pooling is mean"),
        ({"tasks": {"one": Sst()}, "trunk": TrunkSettings(size=4)}, "there is a trunk"),
        ({"tasks": {"one": Sst()}, "adapter": Pals(num_heads=2)}, "its backbone has PALs"),
        ({"tasks": {"one": Quora(average_orders=True)}}, "it averages both orders"),
    ],
)
def test_heads_that_no_standard_class_holds_are_refused(settings, reason, tiny_backbone, tokenizer):
    assert reason in str(why_not(build_predictor(tiny_backbone, tokenizer, **settings), "one"))


def test_probabilities_of_one_yes_no_question_a_class_are_refused(tiny_backbone, tokenizer):
    def head(size, labels):
        return LinearHead(size, labels, loss=OneVsAll())

    predictor = build_predictor(tiny_backbone, tokenizer, tasks={"one": Sst()})
    predictor.model.heads["one"] = head(16, Sst().labels)
    assert "its OneVsAllOutput makes probabilities otherwise" in str(why_not(predictor, "one"))


def build_predictor(backbone, tokenizer, **settings):
    module = build_module(backbone, **settings).eval()
    model = TrainedModel(module.backbone, dict(module.heads.items()), module.trunk)
    return Predictor(model, module.tasks, tokenizer, max_length=32)


def test_an_export_that_answers_otherwise_is_refused(run, tmp_path, capsys, monkeypatch):
    """The weights that the export reads again are not those that were written."""
    import inference.transformers_format as writer

    def spoil(folder, task, texts):
        model = writer.AutoModelForSequenceClassification.from_pretrained(folder)
        with torch.no_grad():
            model.classifier.bias += torch.arange(model.num_labels)
        model.save_pretrained(folder)
        return real(folder, task, texts)

    real = writer.answer_padded
    monkeypatch.setattr(writer, "answer_padded", spoil)
    assert main([str(run), str(tmp_path / "out"), "--format", "transformers", "--tasks", "sst"]) == 2
    assert "nothing was written" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
