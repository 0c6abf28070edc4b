import json

import numpy as np
import pytest

from backbones import Lora
from heads import TrunkSettings
from inference import Predictor
from inference.export import main
from inference.sentence_transformers_format import build_embedder, why_not
from tasks import Sst, Sts
from tests.inference.exports import PAIR_TASKS, dev_answers, run_card, run_elsewhere
from tests.inference.test_transformers_format import build_predictor

EMBED = """
import json, sys
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu")
first, second = (model.encode(list(side)) for side in zip(*json.loads(sys.argv[2])))
similarity = model.similarity_pairwise(first, second)
modules = [type(module).__name__ for module in model]
print(json.dumps([first.tolist(), similarity.tolist(), modules]))
"""


pytest.importorskip("sentence_transformers")


@pytest.fixture(scope="module")
def run(whole_run):
    return whole_run(**PAIR_TASKS).version(0)


@pytest.mark.slow
def test_sentence_transformers_gives_the_embeddings_and_the_cosine_our_score(run, cs224n_root, tmp_path, capsys):
    main([str(run), str(tmp_path / "out"), "--format", "sentence-transformers"])
    shown = capsys.readouterr().out
    assert "left out: task sst: its encoding is single" in shown
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["quora", "sts"]
    texts, answers = dev_answers(run, cs224n_root)
    predictor = Predictor.load(run)
    for task in ("sts", "quora"):
        found = run_elsewhere(EMBED, tmp_path, str(tmp_path / "out" / task), json.dumps(texts[task]))
        vectors, similarity, modules = found
        np.testing.assert_allclose(vectors, predictor.embed(task, [first for first, _ in texts[task]]), atol=1e-5)
        if task == "sts":
            np.testing.assert_allclose(5 * np.array(similarity), answers["sts"], atol=1e-4)
            assert modules == ["Transformer", "Pooling", "Dense", "Dense", "Normalize"]
    card = (tmp_path / "out" / "sts" / "README.md").read_text()
    assert "score = 0 + 5 * cosine" in card
    assert "| sts | pearson |" in card
    assert run_card(tmp_path / "out" / "sts", tmp_path).startswith("tensor([[1.0")
    assert "Vectors of quora" in (tmp_path / "out" / "quora" / "README.md").read_text()


@pytest.mark.parametrize("settings", [{"pooling": "mean"}, {"pooling": "cls"}, {"adapter": Lora()}], ids=str)
def test_every_pooling_and_an_adapter_are_held(settings, tiny_backbone, tokenizer):
    predictor = build_predictor(tiny_backbone, tokenizer, tasks={"sts": Sts(encoding="bi")}, **settings)
    texts = ["the cat is good", "how can i learn to play chess at home"]
    found = build_embedder(predictor, "sts").encode(texts)
    np.testing.assert_allclose(found, predictor.embed("sts", texts), atol=1e-5)


def test_what_no_stock_module_holds_is_refused(tiny_backbone, tokenizer):
    tasks = {"sts": Sts(encoding="bi"), "sst": Sst()}
    predictor = build_predictor(tiny_backbone, tokenizer, tasks=tasks, trunk=TrunkSettings(size=4))
    assert "there is a trunk" in str(why_not(predictor, "sts"))
    assert "its encoding is single" in str(why_not(predictor, "sst"))
