from pathlib import Path

import pytest
from transformers import BertTokenizer

from backbones import load_tokenizer


@pytest.fixture(scope="session")
def tiny_backbone(word_backbone: Path) -> Path:
    """The backbone of every test here: with 30,522 tokens a tiny training takes a third longer."""
    return word_backbone


@pytest.fixture(scope="session")
def tokenizer(tiny_backbone: Path) -> BertTokenizer:
    """The tokenizer of that backbone."""
    return load_tokenizer(str(tiny_backbone))
