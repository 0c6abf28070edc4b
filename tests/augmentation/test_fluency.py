import math
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, BertModel, BertTokenizerFast

from augmentation import Fluency, GeneratedPairs
from augmentation.fluency import _Scorer

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "why", "do", "cats", "like", "dogs", "?"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A masked language model that expects `why do cats like dogs ?`: it has learnt nothing else."""
    folder = tmp_path_factory.mktemp("masked")
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    model = BertForMaskedLM(config)
    ids = torch.tensor([[2, 5, 6, 7, 8, 9, 10, 3]])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for step in range(120):
        masked = ids.clone()
        masked[0, 1 + step % 6] = 4
        optimizer.zero_grad()
        model(input_ids=masked, labels=ids).loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    return folder


def test_a_text_scores_the_mean_log_probability_of_each_masked_token(folder):
    scorer = _Scorer(str(folder))
    model = BertForMaskedLM.from_pretrained(folder).eval()
    ids = torch.tensor([[2, 5, 6, 3]])
    total = 0.0
    for place in (1, 2):
        masked = ids.clone()
        masked[0, place] = 4
        with torch.no_grad():
            total += float(model(input_ids=masked).logits[0, place].log_softmax(-1)[ids[0, place]])
    assert scorer.score("why do") == pytest.approx(total / 2, rel=1e-4)
    assert scorer.score("") == 0.0


def test_the_edits_that_lose_most_are_dropped(folder):
    usual = "why do cats like dogs?"
    edits = [(usual, "dogs like cats do why?"), (usual, usual), (usual, "why do cats like cats?"), (usual, "? ? ? ? ?")]
    assert Fluency(model=str(folder), drop=0.5).choose(edits) == [1, 2]
    assert Fluency(model=str(folder), drop=0.0).choose(edits) == [0, 1, 2, 3]


def test_the_key_knows_the_weights(folder, tmp_path):
    settings = GeneratedPairs(fluency=Fluency(model=str(folder)))
    assert settings.reading_settings() == settings.reading_settings()
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    copied = Fluency(model=str(tmp_path))
    assert copied.digest() == Fluency(model=str(folder)).digest()
    (tmp_path / "config.json").write_text((tmp_path / "config.json").read_text() + "\n")
    assert copied.digest() != Fluency(model=str(folder)).digest()


def test_a_model_without_a_head_is_refused(folder, tmp_path):
    BertModel(BertConfig.from_pretrained(folder)).save_pretrained(tmp_path)
    for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(ValueError, match="has no masked-LM head"):
        Fluency(model=str(tmp_path)).choose([("why", "do")])


def test_a_missing_folder_and_a_wrong_share_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"fluency.model .*: no config.json"):
        Fluency(model=str(tmp_path)).digest()
    with pytest.raises(ValueError, match=r"fluency.drop is 1"):
        Fluency(model="x", drop=1)
    assert not math.isnan(Fluency(model="x").drop)
