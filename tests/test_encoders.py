"""Encoders of other families than BERT's, from their files to a training: the table is tests/backbones/families.py."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor

from backbones import Backbone, Lora, load_encoder, load_tokenizer, pack
from backbones.families import apply_pooler, pooler_reads
from callbacks import StepSeed
from heads import CosineHead
from inference import Predictor
from lightning_modules import MultitaskModule
from objectives import Smart
from tasks import Quora, Sst, Sts, Task
from tests.backbones.families import FAMILIES, QUICK, every_family
from tests.tiny import build_module, make_trainer, open_data, train_batches

NO_DROPOUT = {  # what the table leaves at its family's default
    "gte": {"attention_probs_dropout_prob": 0.0},
    "nomic_bert": {"attention_probs_dropout_prob": 0.0, "hidden_dropout_prob": 0.0},
}
TASKS: dict[str, Task] = {
    "sst": Sst(),
    "quora": Quora(),
    "sts": Sts(encoding="bi", head=CosineHead),
}


def pool_padded(folder: Path, module: MultitaskModule, columns: list[list[str]], model: Any = None) -> Tensor:
    """Return vectors as transformers alone computes them: its tokenizer, its padding, its model."""
    model, tokenizer = (model or load_encoder(str(folder))).eval(), load_tokenizer(str(folder))
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
            expected = [pool_padded(folder, module, part) for part in parts[name]]
        torch.testing.assert_close(pooled, torch.stack(expected, dim=1), rtol=0, atol=2e-5, msg=name)


@pytest.mark.parametrize("family", every_family("modernbert", "deberta-v2"))
def test_a_training_resumes_exactly_and_its_checkpoint_predicts_the_same(family, backbone_of, cs224n_root, tmp_path):
    folder = backbone_of(family)

    def fit(name: str, ckpt: Path | None = None) -> MultitaskModule:
        torch.manual_seed(0)
        data = open_data(folder, cs224n_root, tmp_path / "cache", max_length=60)
        module = build_module(folder)
        kept = ModelCheckpoint(tmp_path / name, "{step}", every_n_train_steps=2, save_top_k=-1)
        options = {"max_steps": 4, "limit_val_batches": 0, "enable_checkpointing": True}
        make_trainer(tmp_path / name, StepSeed(42), kept, **options).fit(module, data, ckpt_path=ckpt)
        return module

    whole = fit("whole")
    resumed = fit("resumed", tmp_path / "whole/step=2.ckpt")

    start, end = load_encoder(str(folder)).state_dict(), whole.backbone.bert.state_dict()
    assert sum(not torch.equal(weight, start[name]) for name, weight in end.items()) > len(end) / 2
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, resumed.state_dict()[name]), name
    predictor = Predictor.load(tmp_path / "whole/step=4.ckpt", device="cpu")
    texts = [("the cat is slow", "a slow dog"), ("how can i learn chess", "the film was great and not bad")]
    found = predictor.compute(["quora"], texts)["quora"]
    with torch.no_grad():
        pooled = pool_padded(folder, whole, [list(column) for column in zip(*texts, strict=True)], whole.backbone.bert)
        expected = whole.heads["quora"].eval()(pooled[:, None])
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("family", every_family("modernbert", "deberta-v2"))
def test_adapter_frozen_vectors_and_smart_work_as_for_bert(family, backbone_of, cs224n_root, tmp_path):
    folder = backbone_of(family)
    settings: list[dict[str, Any]] = [
        {"adapter": Lora(targets=("query", "key", "value", "attention_output", "intermediate", "output"))},
        {"freeze_backbone": True},
        {"regularizer": Smart(tasks=("sst",))},
    ]
    for number, options in enumerate(settings):
        data = open_data(folder, cs224n_root, tmp_path / "cache", max_length=60)
        module = build_module(folder, **options)
        before = {name: weight.clone() for name, weight in module.state_dict().items()}
        make_trainer(tmp_path / str(number), max_steps=3, limit_val_batches=0).fit(module, data)
        trained = {name for name, weight in module.named_parameters() if not torch.equal(weight, before[name])}
        own = {name for name in trained if name.startswith("backbone.")}
        if "adapter" in options:
            assert own
            assert all("lora_" in name for name in own)
        else:
            assert bool(own) == ("regularizer" in options)


@pytest.mark.parametrize("family", every_family(*QUICK))
def test_a_perturbation_moves_the_embeddings_of_its_own_tokens_alone(family, backbone_of):
    backbone = Backbone(load_encoder(str(backbone_of(family))), pooling="cls").eval()
    ids = np.arange(5, 15)
    tokens = pack(ids, np.zeros_like(ids), np.array([4, 6]))
    nudge = torch.zeros(10, backbone.embedding_size)
    nudge[6, ::2] = 0.5  # not the same in all places, which a LayerNorm takes away

    with torch.no_grad():
        plain, still = backbone(tokens), backbone(tokens, None, torch.zeros_like(nudge))
        moved = backbone(tokens, None, nudge)

    torch.testing.assert_close(still, plain, rtol=0, atol=1e-6)
    torch.testing.assert_close(moved[0], plain[0], rtol=0, atol=1e-6)
    assert (moved[1] - plain[1]).abs().max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_two_processes_train_as_one(family, backbone_of, tiny_project):
    head = {"class_path": "LinearHead", "init_args": {"dropout": 0.0}}
    tasks = {name: {"class_path": name.capitalize(), "init_args": {"head": head}} for name in ("sst", "quora", "sts")}
    changes = {
        "tasks": tasks,
        "model.backbone": str(backbone_of(family, **NO_DROPOUT.get(family, {}))),
        "trainer.max_steps": 4,
    }
    one, two = tiny_project(**changes), tiny_project(**changes)
    assert one.run().code == 0
    assert all(ended.code == 0 for ended in two.run_ranks(2))

    assert one.report(0)["encoder"] == {"family": family, "way": FAMILIES[family][0]}
    found, expected = two.weights(0), one.weights(0)
    assert found.keys() == expected.keys()
    for name, weight in expected.items():
        if not re.search(
            r"(key|key_proj|k_lin|k|k_proj)\.bias$", name
        ):  # no gradient but rounding, made a step by Adam
            torch.testing.assert_close(found[name], weight, rtol=0, atol=1e-4, msg=name)
