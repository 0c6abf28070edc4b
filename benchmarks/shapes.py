"""The shapes of the encoders that are measured, all with BERT's uncased vocabulary."""

from collections.abc import Mapping
from typing import Any

from transformers import AutoConfig, PreTrainedConfig

from benchmarks.job import Workload

DEBERTA: Mapping[str, Any] = {
    "type_vocab_size": 0,
    "relative_attention": True,
    "pos_att_type": ["c2p", "p2c"],
    "position_biased_input": False,
    "max_relative_positions": -1,
}
# What a family's published models have beside sizes and BERT's kind of dropout.
SHAPES: Mapping[str, Mapping[str, Any]] = {
    "bert": {},
    "roberta": {"type_vocab_size": 2, "pad_token_id": 0, "max_position_embeddings": 513},
    "mpnet": {"pad_token_id": 1, "max_position_embeddings": 514},
    "modernbert": {"classifier_pooling": "cls", "pad_token_id": 0, "cls_token_id": 101, "sep_token_id": 102},
    "deberta": DEBERTA,
    "deberta-v2": {**DEBERTA, "position_buckets": 256, "norm_rel_ebd": "layer_norm", "share_att_key": True},
}


def build_config(workload: Workload) -> PreTrainedConfig:
    """Build the configuration of a workload's encoder with one logit under binary cross-entropy.

    ModernBERT has no dropout in its layers, as published, and a feed-forward layer of one and a half times the hidden
    size, as its base model.
    """
    own: dict[str, Any] = {"hidden_dropout_prob": workload.dropout, "attention_probs_dropout_prob": workload.dropout}
    own["intermediate_size"] = workload.intermediate_size
    if workload.family == "modernbert":
        own = {"intermediate_size": workload.hidden_size * 3 // 2, "classifier_dropout": workload.dropout}
    config: PreTrainedConfig = AutoConfig.for_model(
        workload.family,
        **{
            "vocab_size": 30522,
            "hidden_size": workload.hidden_size,
            "num_hidden_layers": workload.num_layers,
            "num_attention_heads": workload.num_heads,
            "num_labels": 1,
            "problem_type": "multi_label_classification",
            **own,
            **SHAPES[workload.family],
        },
    )
    return config
