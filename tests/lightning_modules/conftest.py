from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_backbone(word_backbone: Path) -> Path:
    """The backbone of every test here: with 30,522 tokens a tiny training takes a third longer."""
    return word_backbone
