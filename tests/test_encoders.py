"""Encoders of other families than BERT's, from their files to a training: the table is tests/backbones/families.py."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from backbones import load_encoder, load_tokenizer
from backbones.families import apply_pooler, pooler_reads
from heads import CosineHead, TwinHead
from lightning_modules import MultitaskModule
from tasks import Quora, Sst, Sts, Task
from tests.backbones.families import FAMILIES, write_backbone
from tests.conftest import TEXT
from tests.tiny import build_module, open_data, train_batches

QUICK = ("roberta", "modernbert", "deberta-v2")  # one of each way; the others are slow for their number alone
TASKS: dict[str, Task] = {
    "sst": Sst(),
    "quora": Quora(),
    "sts": Sts(encoding="bi", head=CosineHead),
    "sts_both": Sts(encoding="both", head=TwinHead),
}


def every_family(*quick: str) -> list[Any]:
    """Return all families as parameters, those that are not named marked slow."""
    return [family if family in quick else pytest.param(family, marks=pytest.mark.slow) for family in FAMILIES]


@pytest.fixture(scope="module")
def backbone_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a folder with a tiny model of a family."""
    made: dict[str, Path] = {}

    def write(family: str, **changes: Any) -> Path:
        key = f"{family} {changes}"
        if key not in made:
            words = TEXT.split()
            texts = [" ".join(words[start : start + 7]) for start in range(len(words))]
            made[key] = write_backbone(family, tmp_path_factory.mktemp("family"), texts, **changes)
        return made[key]

    return write


def pool_padded(folder: Path, module: MultitaskModule, columns: list[list[str]]) -> Tensor:
    """Return vectors as transformers alone computes them: its tokenizer, its padding, its model."""
    model, tokenizer = load_encoder(str(folder)).eval(), load_tokenizer(str(folder))
    batch = tokenizer(*columns, padding=True, truncation=True, max_length=200, return_tensors="pt")
    if getattr(model.config, "type_vocab_size", 0) < 2:
        batch.pop("token_type_ids", None)
    hidden, mask = model(**batch)[0], batch["attention_mask"][:, :, None]
    pooling = module.backbone.pooling
    reads = pooler_reads(model.config) if pooling == "pooler" else pooling
    vectors = (hidden * mask).sum(1) / mask.sum(1) if reads == "mean" else hidden[:, 0]
    return apply_pooler(model, vectors) if pooling == "pooler" else vectors


@pytest.mark.parametrize("family", every_family(*QUICK))
def test_every_encoding_gives_the_vectors_of_transformers_alone(family, backbone_of, cs224n_root, tmp_path):
    folder = backbone_of(family)
    data = open_data(folder, cs224n_root, tmp_path, tasks=TASKS, max_length=200)
    module = build_module(folder, tasks=TASKS).eval()
    assert module.backbone.way == FAMILIES[family][0]

    for name, batch in train_batches(data).items():
        texts = [row.texts for row in TASKS[name].read("train", cs224n_root, print)]
        columns = [list(column) for column in zip(*(texts[row] for row in batch.rows), strict=True)]
        with torch.no_grad():
            pooled = module.pool(batch)
            parts = {"sst": [columns], "quora": [columns], "sts": [[column] for column in columns]}
            expected = [
                pool_padded(folder, module, part)
                for part in parts.get(name, [columns, *([column] for column in columns)])
            ]
        torch.testing.assert_close(pooled, torch.stack(expected, dim=1), rtol=0, atol=2e-5, msg=name)
