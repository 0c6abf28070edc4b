import csv
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from torch.nn import functional as F

from inference import Predictor
from inference.rows import check_texts
from tasks import InputError
from tests.runs import read_csv
from tests.tiny import build_module, make_trainer, open_data

ROOT = Path(__file__).resolve().parents[2]
TAUGHT = {"encoding": "bi", "in_mean": False, "teacher": {"task": "same"}}
TASKS = {
    "tasks": {
        "sst": "Sst",
        "quora": {"class_path": "Quora", "init_args": TAUGHT},
        "sts": {"class_path": "Sts", "init_args": {"encoding": "bi", "average_orders": True}},
        "same": {"class_path": "Quora", "init_args": {"encoding": "cross"}},
        "near": {"class_path": "Sts", "init_args": {"encoding": "cross"}},
    }
}


@pytest.fixture(scope="module")
def project(whole_run):
    return whole_run(**TASKS, trainer__max_epochs=1)


@pytest.fixture(scope="module")
def predictor(project):
    return Predictor.load(project.version(0))


def read_texts(root, name, columns):
    with (Path(root) / name).open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [row[columns[0]] if len(columns) == 1 else tuple(row[column] for column in columns) for row in rows]


def test_predictions_are_those_of_the_command(project, predictor):
    """The files that fit wrote for the dev split after its only epoch, of the same weights."""
    config = yaml.safe_load((project.version(0) / "config.yaml").read_text())
    root, pair = config["data"]["root"], ("sentence1", "sentence2")
    files = {"sst": ("ids-sst-dev.csv", ("sentence",)), "quora": ("quora-dev.csv", pair), "sts": ("sts-dev.csv", pair)}
    checked = 0
    for task, (name, columns) in {**files, "same": files["quora"], "near": files["sts"]}.items():
        found = predictor.predict(task, read_texts(root, name, columns))
        written = read_csv(project.version(0) / "predictions" / f"{task}-dev.csv")[1:]
        assert len(found) == len(written)
        if found[0].score is None:
            assert [row.label for row in found] == [cells[1].strip() for cells in written]
            header, *rows = read_csv(project.version(0) / "predictions" / f"{task}-dev-probabilities.csv")
            for row, cells in zip(found, rows, strict=True):
                assert list(row.probabilities) == header[1:]
                assert list(row.probabilities.values()) == pytest.approx([float(cell) for cell in cells[1:]], abs=2e-6)
        else:
            assert [row.score for row in found] == pytest.approx([float(cells[1]) for cells in written], abs=2e-6)
            assert not found[0].probabilities
        checked += len(found)
    assert checked == 60


def test_all_tasks_of_an_encoding_take_one_pass(predictor):
    pairs = [("the cat is good", "a dog plays chess"), ("how can i learn", "to play chess at home"), ("bad", "slow")]
    passes = []
    hook = predictor.model.backbone.register_forward_hook(lambda module, inputs, output: passes.append(1))
    found = predictor.predict_all(pairs)
    hook.remove()
    assert list(found) == ["quora", "sts", "same", "near"]
    assert len(passes) == 3  # both, bi in both orders, and cross for two tasks
    for task, rows in found.items():
        for row, alone in zip(rows, predictor.predict(task, pairs), strict=True):
            assert row.label == alone.label or row.score == pytest.approx(alone.score, abs=1e-5)
    assert list(predictor.predict_all(["very good"])) == ["sst"]


def test_the_order_of_the_texts_is_kept_whatever_the_batches(predictor):
    texts = [" ".join(["good film"] * (7 * number % 30 + 1)) for number in range(60)]
    whole = predictor.predict("sst", texts)
    predictor.tokens_per_batch, before = 40, predictor.tokens_per_batch
    try:
        in_batches = predictor.predict("sst", texts)
    finally:
        predictor.tokens_per_batch = before
    alone = [predictor.predict("sst", [text])[0] for text in texts[:5]]
    for one, other in zip([*whole, *whole[:5]], [*in_batches, *alone], strict=True):
        assert list(one.probabilities.values()) == pytest.approx(list(other.probabilities.values()), abs=1e-5)
    assert len({row.probabilities["4"] for row in whole}) > 20


def test_the_product_of_two_embeddings_is_the_score_of_a_cosine_head(predictor):
    pairs = [("the cat is good", "a dog plays chess"), ("how can i learn", "to play chess at home")]
    first, second = (predictor.embed("sts", list(side)) for side in zip(*pairs, strict=True))
    assert torch.allclose(first.norm(dim=1), torch.ones(2))
    scores = [row.score for row in predictor.predict("sts", pairs)]
    assert (5 * (first * second).sum(dim=1)).tolist() == pytest.approx(scores, abs=1e-5)


def test_embeddings_of_another_head_are_the_pooled_vectors(predictor):
    with torch.inference_mode():
        rows = predictor._encode([("a dog plays",)], "single")
        pooled = predictor.model.pool(rows.join(rows.cut(100)[0]))
    assert torch.allclose(predictor.embed("quora", ["a dog plays"]), F.normalize(pooled))


def test_what_cannot_be_predicted_is_said(predictor):
    for call, message in (
        (lambda: predictor.predict("sst", "a text"), "one string"),
        (lambda: predictor.predict("sst", []), "texts is empty"),
        (lambda: predictor.predict("sst", [("a", "b")]), r"texts\[0\] is .* \(expected a string\)"),
        (lambda: predictor.predict("sts", [("a", "b"), "c"]), r"texts\[1\] is 'c' \(expected a pair of strings\)"),
        (lambda: predictor.predict("sst", ["a", " "]), r"texts\[1\] .* it is empty"),
        (lambda: predictor.predict("nli", ["a"]), "no task 'nli'"),
        (lambda: predictor.embed("sst", ["a"]), "expected a task with encoding bi: quora, sts"),
    ):
        with pytest.raises(InputError, match=message):
            call()


def test_lists_of_two_are_pairs():
    assert check_texts([["a", "b"]], 2) == [("a", "b")]


def test_the_number_of_threads_is_given_back(predictor):
    torch.set_num_threads(1)
    predictor.threads = 2
    seen = []
    hook = predictor.model.backbone.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    try:
        predictor.predict("sst", ["good"])
    finally:
        hook.remove()
        predictor.threads = None
    assert (seen, torch.get_num_threads()) == ([2], 1)


def test_tasks_with_layers_of_their_own_take_a_pass_each(tiny_backbone, cs224n_root, tmp_path):
    from backbones import Pals

    module = build_module(tiny_backbone, adapter=Pals(num_heads=2))
    trainer = make_trainer(tmp_path, max_steps=3)
    trainer.fit(module, datamodule=open_data(tiny_backbone, cs224n_root, tmp_path / "cache"))
    trainer.save_checkpoint(tmp_path / "last.ckpt", weights_only=True)
    predictor = Predictor.load(tmp_path / "last.ckpt")
    pairs = [("the cat", "a dog")]
    found = predictor.predict_all(pairs)
    assert found == {name: predictor.predict(name, pairs) for name in ("quora", "sts")}


@pytest.mark.parametrize("as_text", [False, True])
def test_special_tokens_in_a_text_are_read_as_in_training(as_text, tiny_backbone, cs224n_root, tmp_path):
    data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache", special_tokens_as_text=as_text)
    trainer = make_trainer(tmp_path, max_steps=3)
    trainer.fit(build_module(tiny_backbone), datamodule=data)
    trainer.save_checkpoint(tmp_path / "last.ckpt", weights_only=True)
    predictor = Predictor.load(tmp_path / "last.ckpt")
    first, second = predictor.predict("sst", ["a [SEP] film", "a [sep] film"])
    assert (first.probabilities == second.probabilities) == as_text


def test_loading_needs_neither_lightning_nor_torchmetrics(project):
    code = (
        "import sys; from inference import Predictor; Predictor.load(sys.argv[1]).predict('sst', ['good']); "
        "heavy = ('lightning', 'torchmetrics', 'matplotlib', 'datasets', 'peft'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(project.version(0))], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "[]"


@pytest.mark.slow
def test_loading_takes_a_second_beside_the_imports_of_torch_and_transformers(project):
    code = (
        "import time, torch, transformers; from transformers import BertModel, BertTokenizer; t = time.process_time(); "
        "from inference import Predictor; import sys; Predictor.load(sys.argv[1]); print(time.process_time() - t)"
    )
    command = [sys.executable, "-c", code, str(project.version(0))]
    seconds = [float(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout) for _ in range(3)]
    assert min(seconds) < 1


def test_a_tokenizer_that_has_changed_since_the_training_is_refused(project, tmp_path):
    source = project.version(0) / "checkpoints" / "last.ckpt"
    checkpoint = torch.load(source, weights_only=True)
    checkpoint["MultitaskDataModule"]["meaning"]["tokenizer"]["vocabulary"] = "another"
    torch.save(checkpoint, tmp_path / "last.ckpt")
    with pytest.raises(InputError, match=r"another meaning: tokenizer\.vocabulary was 'another'"):
        Predictor.load(tmp_path / "last.ckpt")


def test_cut_texts_are_told(predictor, caplog):
    predictor.predict("sst", ["short", "good film " * 200])
    assert f"1 of 2 texts cut to {predictor.max_length} tokens" in caplog.text
    caplog.clear()
    predictor.predict("sst", ["short"])
    assert not caplog.records
