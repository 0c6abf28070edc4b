"""Backbones: from packed tokens to pooled sentence vectors."""

from backbones.attention import Attention
from backbones.attention_probe import AttentionChoice, choose_attention
from backbones.bert import Backbone, Pooling
from backbones.casting import WeightCasts
from backbones.compilation import CompileMode
from backbones.loading import build_bert, load_bert, load_masked_lm_predictions, load_tokenizer, resolve
from backbones.packing import AttentionGroup, PackedTokens, QueryRows, StaticShape, pack

__all__ = [
    "Attention",
    "AttentionChoice",
    "AttentionGroup",
    "Backbone",
    "CompileMode",
    "PackedTokens",
    "Pooling",
    "QueryRows",
    "StaticShape",
    "WeightCasts",
    "build_bert",
    "choose_attention",
    "load_bert",
    "load_masked_lm_predictions",
    "load_tokenizer",
    "pack",
    "resolve",
]
