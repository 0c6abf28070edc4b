import math

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, BertModel
from transformers.utils import logging as transformers_logging

from augmentation import Fluency, GeneratedPairs
from augmentation.fluency import Judge, _Scorer


def test_an_edit_loses_what_its_tokens_and_their_neighbours_are_less_likely(folder):
    scorer = _Scorer(str(folder))
    model = BertForMaskedLM.from_pretrained(folder).eval()

    def add_up(ids: list[int], places: list[int]) -> float:
        total = 0.0
        for place in places:
            masked = torch.tensor([ids])
            masked[0, place] = 4
            with torch.no_grad():
                total += float(model(input_ids=masked).logits[0, place].log_softmax(-1)[ids[place]])
        return total

    text, moved = [2, 5, 6, 7, 8, 9, 10, 3], [2, 5, 6, 9, 8, 7, 10, 3]  # why do cats like dogs ?
    expected = add_up(text, [2, 3, 4, 5, 6]) - add_up(moved, [2, 3, 4, 5, 6])
    assert scorer.compare("why do cats like dogs?", "why do dogs like cats?") == pytest.approx(expected, rel=1e-4)
    more = [2, 5, 6, 7, 8, 8, 9, 10, 3]
    expected = add_up(text, [4, 5]) - add_up(more, [4, 5, 6])
    assert scorer.compare("why do cats like dogs?", "why do cats like like dogs?") == pytest.approx(expected, rel=1e-4)
    expected = add_up(text, [1, 2]) - add_up([2, 6, 7, 8, 9, 10, 3], [1])
    assert scorer.compare("why do cats like dogs?", "do cats like dogs?") == pytest.approx(expected, rel=1e-4)
    assert scorer.compare("why do", "why do") == scorer.compare("", "") == 0.0


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


def test_loading_the_model_says_nothing(folder, capfd):
    """Neither which weights it has no use for nor a progress bar."""
    transformers_logging.enable_progress_bar()
    verbosity = transformers_logging.get_verbosity()
    _Scorer(str(folder))
    assert capfd.readouterr() == ("", "")
    assert transformers_logging.get_verbosity() == verbosity
