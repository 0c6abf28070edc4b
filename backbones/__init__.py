"""Backbones: from packed tokens to pooled sentence vectors."""

from backbones.bert import Backbone, Pooling
from backbones.loading import build_bert, load_bert, load_masked_lm_predictions, load_tokenizer, resolve
from backbones.packing import AttentionGroup, PackedTokens, QueryRows, pack

__all__ = [
    "AttentionGroup",
    "Backbone",
    "PackedTokens",
    "Pooling",
    "QueryRows",
    "build_bert",
    "load_bert",
    "load_masked_lm_predictions",
    "load_tokenizer",
    "pack",
    "resolve",
]
