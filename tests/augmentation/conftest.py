"""A tiny masked language model that has learnt one sentence."""

from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, BertTokenizerFast

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
