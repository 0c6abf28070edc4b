"""Other families than BERT's: masked-LM training, and what leaves the house."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer

from backbones import load_encoder, load_tokenizer, pack
from backbones.attention_groups import group_by_length, plan_queries
from callbacks.export import export_masked_lm
from datamodules import CorpusSettings, MaskedLMBatch, MaskedLMDataModule
from heads import LinearHead
from inference import Predictor, onnx_format, sentence_transformers_format, transformers_format
from inference.classifier import POOLER_IN_CLASSIFIER, POOLER_IN_ENCODER, POOLER_IS_HEAD
from inference.model import TrainedModel
from inference.parity import answer_dev, read_dev
from inference.rows import encode_rows
from lightning_modules import MaskedLMModule
from tasks import Quora, Sst, Sts, Task
from tests.backbones.families import FAMILIES, QUICK, every_family
from tests.tiny import build_module, make_trainer

TASKS: dict[str, Task] = {"sst": Sst(head=LinearHead), "quora": Quora(head=LinearHead), "sts": Sts(encoding="bi")}
HELD_BY_TRANSFORMERS = {*POOLER_IN_ENCODER, *POOLER_IN_CLASSIFIER, *POOLER_IS_HEAD}


def build_predictor(folder: Path, **settings: Any) -> Predictor:
    module = build_module(folder, tasks=TASKS, **settings)
    model = TrainedModel(module.backbone, dict(module.heads.items()), None).eval()
    return Predictor(model, TASKS, load_tokenizer(str(folder)), max_length=60, device="cpu")


@pytest.mark.parametrize("family", every_family(*QUICK))
def test_transformers_alone_gives_the_numbers_or_the_family_is_refused_with_a_reason(
    family, backbone_of, cs224n_root, tmp_path
):
    predictor = build_predictor(backbone_of(family))
    has_pooler = predictor.model.backbone.pooling == "pooler"
    for name in ("sst", "quora"):
        reason = transformers_format.why_not(predictor, name)
        if family not in HELD_BY_TRANSFORMERS:
            assert "ForSequenceClassification has layers of its own between the states and the classes" in str(reason)
            continue
        if not has_pooler:
            assert "ForSequenceClassification has a pooler" in str(reason)
            continue
        assert reason is None
        splits = {name: read_dev(TASKS[name], cs224n_root, most_rows=9)}
        reference = answer_dev(predictor, splits)[name]
        written = transformers_format.write_transformers(predictor, name, splits[name], reference, tmp_path / name)
        assert written.parities[0].difference < 1e-5  # between probabilities


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_sentence_transformers_gives_the_vectors_or_the_pooler_is_refused(family, backbone_of):
    for pooling in ("auto", "mean"):
        predictor = build_predictor(backbone_of(family), pooling=pooling)
        reason = sentence_transformers_format.why_not(predictor, "sts")
        if reason is not None:
            assert (family, pooling) == ("modernbert", "auto")
            assert "is none of its stock modules" in reason
            continue
        texts = ["the cat is good", "how can i learn to play chess at home"]
        found = sentence_transformers_format.build_embedder(predictor, "sts").encode(texts)
        np.testing.assert_allclose(found, predictor.embed("sts", texts), atol=1e-5)


def test_a_saved_tokenizer_gives_the_segments_that_transformers_leaves_out(backbone_of, tmp_path):
    folder, pair = backbone_of("albert"), ("the cat", "is good")
    tokenizer = load_tokenizer(str(folder))
    tokenizer.save_pretrained(tmp_path)
    assert "token_type_ids" not in AutoTokenizer.from_pretrained(folder)(*pair)
    again = AutoTokenizer.from_pretrained(tmp_path)(*pair)
    assert again["token_type_ids"] == tokenizer(*pair)["token_type_ids"]
    assert set(again["token_type_ids"]) == {0, 1}


@pytest.mark.parametrize("family", every_family(*QUICK))
def test_an_exported_backbone_is_the_backbone(family, backbone_of, tmp_path):
    from backbones.saving import save_encoder

    model = load_encoder(str(backbone_of(family)))
    save_encoder(model, tmp_path)
    again = load_encoder(str(tmp_path))

    assert again.state_dict().keys() == model.state_dict().keys()
    for name, weight in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], weight), name
    assert "tandem" not in (tmp_path / "config.json").read_text()
    ids = torch.tensor([[5, 6, 7]])
    with torch.no_grad():
        found = AutoModel.from_pretrained(tmp_path).eval()(ids)[0]
        torch.testing.assert_close(found, model.eval()(ids)[0], rtol=0, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_an_onnx_file_gives_the_numbers_or_is_refused_in_one_sentence(family, backbone_of, cs224n_root, tmp_path):
    predictor = build_predictor(backbone_of(family))
    splits = {name: read_dev(task, cs224n_root, most_rows=9) for name, task in TASKS.items()}
    references = answer_dev(predictor, splits)
    for encoding, heads in onnx_format.group_heads(predictor, list(TASKS)).items():
        written = onnx_format.write_onnx(
            predictor, heads, splits, references, tmp_path / encoding, encoding=encoding, max_loss=None
        )
        assert max(parity.difference for parity in written.parities) < 1e-4


@pytest.mark.parametrize("family", every_family(*QUICK))
def test_logits_of_masked_tokens_equal_transformers_and_the_export_keeps_the_head(family, backbone_of, tmp_path):
    if family == "electra":
        with pytest.raises(ValueError, match="electra models have no masked-LM head to train"):
            MaskedLMModule(str(backbone_of(family)))
        return
    is_tied = family != "eurobert"
    folder = backbone_of(family, with_head=True, **({} if is_tied else {"tie_word_embeddings": True}))
    module, tokenizer = MaskedLMModule(str(folder)).eval(), load_tokenizer(str(folder))
    texts = ["the cat is good", "how can i learn to play chess at home", "slow"]
    ids = [
        row.astype(np.int64)
        for row in encode_rows([(text,) for text in texts], "single", tokenizer=tokenizer, max_length=60).tokens
    ]
    lengths, flat = np.array([row.size for row in ids]), np.concatenate(ids)
    rows = np.arange(1, flat.size, 3)
    tokens = pack(flat, np.zeros_like(flat), lengths)
    counts = np.bincount(tokens.sequence_ids.numpy()[rows], minlength=len(ids))
    wanted = plan_queries(rows, counts, group_by_length(lengths, len(tokens.groups)))
    batch = MaskedLMBatch(tokens, wanted, torch.from_numpy(flat[rows]), torch.arange(len(ids)))

    export_masked_lm(module, tokenizer, tmp_path / "export")
    padded = tokenizer(texts, padding=True, return_tensors="pt")
    mask = padded["attention_mask"].bool()
    for source in (folder, tmp_path / "export"):
        reference = AutoModelForMaskedLM.from_pretrained(source).eval()
        if getattr(reference.config, "type_vocab_size", 0) < 2:
            padded.pop("token_type_ids", None)
        with torch.no_grad():
            expected = reference(**padded).logits[mask][rows]
            torch.testing.assert_close(module(batch), expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("family", every_family(*QUICK))
def test_masked_lm_trains_encoder_and_head_and_its_checkpoint_loads(family, backbone_of, cs224n_root, tmp_path):
    if family == "electra":
        pytest.skip("has no masked-LM head to train, see above")
    folder = backbone_of(family)
    places = {"root": str(cs224n_root), "cache_dir": str(tmp_path)}
    corpus = CorpusSettings(held_out=0.3)
    data = MaskedLMDataModule(
        str(folder), tasks={"quora": Quora()}, corpus=corpus, batch_size=4, max_length=60, **places
    )
    module = MaskedLMModule(str(folder))
    before = {name: weight.clone() for name, weight in module.named_parameters()}
    trainer = make_trainer(tmp_path, max_steps=2, limit_val_batches=0)
    trainer.fit(module, data)
    trainer.save_checkpoint(tmp_path / "mlm.ckpt")

    changed = {
        name.split(".")[0] for name, weight in module.named_parameters() if not torch.equal(weight, before[name])
    }
    has_own_head = family != "eurobert"  # whose head is the decoder alone, without a bias, tied to the embeddings
    assert changed == ({"backbone", "head"} if has_own_head else {"backbone"})
    again = MaskedLMModule.load_from_checkpoint(tmp_path / "mlm.ckpt", map_location="cpu")
    for name, weight in module.state_dict().items():
        assert torch.equal(again.state_dict()[name], weight), name
