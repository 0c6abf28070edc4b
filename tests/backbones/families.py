"""A tiny random model of every family that is tested: a family added later is one line of FAMILIES."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForMaskedLM, PreTrainedModel

from backbones import build_encoder
from tests.backbones.tokenizers import tiny_tokenizer

VOCABULARY, LONGEST = 99, 40
BERT = {"intermediate_size": 24, "max_position_embeddings": LONGEST, "hidden_dropout_prob": 0.0}
BERT |= {"attention_probs_dropout_prob": 0.0}
AFTER_PADDING = {**BERT, "type_vocab_size": 1, "max_position_embeddings": LONGEST + 2, "pad_token_id": 1}
ROTARY = {"intermediate_size": 24, "max_position_embeddings": LONGEST, "pad_token_id": 0}
DISTIL = {"hidden_dim": 24, "max_position_embeddings": LONGEST, "dropout": 0.0, "attention_dropout": 0.0}
LOCAL = {"local_attention": 8, "global_attn_every_n_layers": 3, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2}
DEBERTA = {**BERT, "type_vocab_size": 0, "relative_attention": True, "position_biased_input": False}
DEBERTA_V3 = {
    "pos_att_type": ["p2c", "c2p"],
    "position_buckets": 8,
    "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
}
BOTTLENECK = {"embedding_size": 12, "intra_bottleneck_size": 8, "true_hidden_size": 8, "trigram_input": True}

# way, number of layers, and what the family's configuration has beside vocab_size, hidden_size and num_attention_heads
FAMILIES: Mapping[str, tuple[str, int, Mapping[str, Any]]] = {
    "bert": ("own", 2, BERT),
    "ernie": ("own", 2, {**BERT, "use_task_id": True}),
    "roberta": ("own", 2, AFTER_PADDING),
    "xlm-roberta": ("own", 2, AFTER_PADDING),
    "camembert": ("own", 2, AFTER_PADDING),
    "data2vec-text": ("own", 2, AFTER_PADDING),
    "electra": ("own", 2, {**BERT, "embedding_size": 12}),
    "distilbert": ("interface", 2, DISTIL),
    "modernbert": ("interface", 4, {**ROTARY, **LOCAL, "eos_token_id": 3}),
    "eurobert": ("interface", 2, {**ROTARY, "num_key_value_heads": 1, "bos_token_id": 2, "eos_token_id": 3}),
    "gte": ("interface", 2, {**ROTARY, "type_vocab_size": 0, "hidden_dropout_prob": 0.0}),
    "nomic_bert": ("interface", 2, {**ROTARY, "type_vocab_size": 2}),
    "jina_embeddings_v3": ("interface", 2, {**AFTER_PADDING, "max_position_embeddings": LONGEST}),
    "albert": ("interface", 3, {**BERT, "embedding_size": 12, "classifier_dropout_prob": 0.0}),
    "xlm-roberta-xl": ("interface", 2, AFTER_PADDING),
    "deberta-v2": ("own", 2, {**DEBERTA, **DEBERTA_V3}),
    "deberta": ("length-groups", 2, {**DEBERTA, "pos_att_type": ["c2p", "p2c"]}),
    "mpnet": ("own", 2, {**BERT, "max_position_embeddings": LONGEST + 2, "pad_token_id": 1}),
    "roformer": ("length-groups", 2, {**BERT, "embedding_size": 12}),
    "mobilebert": ("length-groups", 2, {**BERT, **BOTTLENECK}),
}

QUICK = ("roberta", "modernbert", "deberta-v2", "roformer")  # of each way, and with scores by distance


def every_family(*quick: str) -> list[Any]:
    """Return all families as parameters of a test, those that are not named marked slow."""
    return [family if family in quick else pytest.param(family, marks=pytest.mark.slow) for family in FAMILIES]


def tiny_config(family: str) -> dict[str, Any]:
    _, layers, own = FAMILIES[family]
    sizes = {"vocab_size": VOCABULARY, "hidden_size": 16, "num_hidden_layers": layers, "num_attention_heads": 2}
    return {"model_type": family, **sizes, **own}


def tiny_model(family: str, *, with_pooler: bool = True, **changes: Any) -> PreTrainedModel:
    """Return a model with random weights, far from the almost uniform attention of a new one."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = build_encoder({**tiny_config(family), **changes}, with_pooler=with_pooler)
        padding = model.config.pad_token_id
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.2 * torch.randn_like(parameter))
            if padding is not None:
                model.get_input_embeddings().weight[padding] = 0  # as in every model that was trained
    return model


def write_backbone(family: str, folder: Path, texts: Sequence[str], *, with_head: bool = False, **changes: Any) -> Path:
    """Write a tiny model of a family and a tokenizer of its kind as a Hugging Face folder.

    Args:
        family: Name of the family.
        folder: The folder to make.
        texts: What the tokenizer is trained on.
        with_head: Whether to save it with its masked-LM head.
        changes: Of the configuration.
    """
    tokenizer = tiny_tokenizer(family, texts)
    first = tokenizer.pad_token_id + 1 if FAMILIES[family][2].get("pad_token_id") else 0
    own = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id, "max_position_embeddings": 256 + first}
    model = tiny_model(family, **{**own, **changes})
    if with_head:
        with torch.random.fork_rng():
            torch.manual_seed(2)
            whole = AutoModelForMaskedLM.from_config(model.config)
        getattr(whole, whole.base_model_prefix).load_state_dict(model.state_dict(), strict=False)
        model = whole
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
