"""Masked language models of several families give the log probabilities that they give without a short cut."""

import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForMaskedLM

from augmentation.fluency import _Scorer

SHAPE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
DISTIL = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32}
FAMILIES = {
    "bert": SHAPE,
    "roberta": {**SHAPE, "max_position_embeddings": 514, "pad_token_id": 0},
    "mpnet": {**SHAPE, "max_position_embeddings": 514, "pad_token_id": 0},
    "electra": {**SHAPE, "embedding_size": 16},
    "modernbert": {**SHAPE, "reference_compile": False},
    "distilbert": DISTIL,
}


@pytest.mark.parametrize("family", FAMILIES)
def test_each_token_is_told_from_the_others(family: str, folder: Path, tmp_path: Path):
    for path in folder.glob("*token*"):
        shutil.copy(path, tmp_path)
    torch.manual_seed(0)
    special = {"pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3}
    model = AutoModelForMaskedLM.from_config(AutoConfig.for_model(family, vocab_size=11, **special | FAMILIES[family]))
    model.eval().save_pretrained(tmp_path)
    ids = torch.tensor([[2, 5, 6, 7, 3]])  # why do cats
    total = 0.0
    for place in (1, 2, 3):
        masked = ids.clone()
        masked[0, place] = 4
        with torch.no_grad():
            total += float(model(input_ids=masked).logits[0, place].log_softmax(-1)[ids[0, place]])
    scorer = _Scorer(str(tmp_path))
    assert scorer.encode("why do cats") == ids[0].tolist()
    assert scorer.add_up(scorer.encode("why do cats"), range(5)) == pytest.approx(total, rel=1e-4)
