"""Backbones: from packed tokens to pooled sentence vectors."""

from backbones.adapter import Adapter
from backbones.attention import Attention
from backbones.attention_probe import AttentionChoice, choose_attention
from backbones.bert import Backbone, Pooling
from backbones.casting import WeightCasts
from backbones.compilation import CompileMode
from backbones.loading import build_bert, load_bert, load_masked_lm_predictions, load_tokenizer
from backbones.lora import Lora
from backbones.packages import resolve
from backbones.packing import AttentionGroup, PackedTokens, QueryRows, StaticShape, pack
from backbones.pals import Pals

__all__ = [
    "Adapter",
    "Attention",
    "AttentionChoice",
    "AttentionGroup",
    "Backbone",
    "CompileMode",
    "Lora",
    "PackedTokens",
    "Pals",
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
