"""Backbones: from packed tokens to pooled sentence vectors."""

from backbones.adapter import Adapter
from backbones.attention import Attention
from backbones.attention_groups import AttentionGroup, QueryRows
from backbones.attention_probe import AttentionChoice, choose_attention
from backbones.backbone import Backbone
from backbones.casting import WeightCasts
from backbones.compilation import CompileMode
from backbones.families import Pooling, PoolingChoice
from backbones.loading import build_encoder, load_encoder, load_masked_lm_head, load_masked_lm_predictions
from backbones.lora import Lora
from backbones.packages import resolve
from backbones.packing import PackedTokens, pack
from backbones.pals import Pals
from backbones.static_shape import StaticShape
from backbones.tokenizer import load_tokenizer

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
    "PoolingChoice",
    "QueryRows",
    "StaticShape",
    "WeightCasts",
    "build_encoder",
    "choose_attention",
    "load_encoder",
    "load_masked_lm_head",
    "load_masked_lm_predictions",
    "load_tokenizer",
    "pack",
    "resolve",
]
