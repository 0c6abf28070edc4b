import math

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, BertModel

from augmentation import Fluency, GeneratedPairs
from augmentation.fluency import Judge, _Scorer


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


def test_the_key_knows_the_weights(folder, tmp_path):
    settings = GeneratedPairs(fluency=Fluency(model=str(folder)))
    assert settings.reading_settings() == settings.reading_settings()
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    copied = Fluency(model=str(tmp_path))
    assert copied.reading_settings() == Fluency(model=str(folder)).reading_settings()
    (tmp_path / "config.json").write_text((tmp_path / "config.json").read_text() + "\n")
    assert copied.reading_settings() != Fluency(model=str(folder)).reading_settings()


def test_a_model_without_a_head_is_refused(folder, tmp_path):
    BertModel(BertConfig.from_pretrained(folder)).save_pretrained(tmp_path)
    for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(ValueError, match="has no masked-LM head"):
        Judge(Fluency(model=str(tmp_path)))


def test_a_missing_folder_and_a_wrong_share_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"fluency.model .*: no config.json"):
        Fluency(model=str(tmp_path)).reading_settings()
    with pytest.raises(ValueError, match=r"fluency.drop is 1"):
        Fluency(model="x", drop=1)
    assert not math.isnan(Fluency(model="x").drop)
