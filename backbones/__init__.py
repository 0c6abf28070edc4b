"""Backbones: from packed tokens to pooled sentence vectors."""

from backbones.adapter import Adapter
from backbones.bert import Backbone, Pooling
from backbones.loading import build_bert, load_bert, load_masked_lm_predictions, load_tokenizer, resolve
from backbones.lora import Lora
from backbones.packing import AttentionGroup, PackedTokens, QueryRows, pack
from backbones.pals import Pals

__all__ = [
    "Adapter",
    "AttentionGroup",
    "Backbone",
    "Lora",
    "PackedTokens",
    "Pals",
    "Pooling",
    "QueryRows",
    "build_bert",
    "load_bert",
    "load_masked_lm_predictions",
    "load_tokenizer",
    "pack",
    "resolve",
]
