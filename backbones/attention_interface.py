"""Encoders whose layers call transformers' registered attention function: packed tokens through their own forward."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel

from backbones.attention import Attend, Attention, build_attention
from backbones.attention_groups import QueryRows
from backbones.inputs import InputForm, adding_to_embeddings
from backbones.last_layers import LAST_LAYERS, OnWantedRows
from backbones.packing import PackedTokens
from transformers_internals import sdpa_attention_forward, sdpa_mask

NAME = "tandem_packed"


def packed_or_padded(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    packed_attention: Attend | None = None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attend inside each of the packed sequences where the call says how, else over padded ones as `sdpa` does.

    The signature is that of transformers' attention functions.

    Args:
        module: The layer's attention.
        query: (n, heads, L, D); packed tokens are one sequence, (1, heads, T, D).
        key: (n, kv heads, L, D), some heads of the queries may share one.
        value: As `key`.
        attention_mask: Of padded sequences; not looked at for packed ones.
        packed_attention: The attention of a packed batch.
        scaling: Factor of the products; None for D^-0.5.
        dropout: Probability of an attention weight to become 0.
        sliding_window: A key counts up to the distance sliding_window - 1; None for all.
        others: What other functions take.
    """
    if packed_attention is None:
        options = {"scaling": scaling, "dropout": dropout, **others}
        padded: Tensor = sdpa_attention_forward(module, query, key, value, attention_mask, **options)[0]
        return padded, None
    _, heads, size, width = query.shape
    query, key = query.to(value.dtype), key.to(value.dtype)  # rotated in float32 where autocast is on
    if scaling is not None and scaling != width**-0.5:
        query = query * (scaling * width**0.5)
    context = packed_attention(
        _flatten(query, heads),
        _flatten(key, heads),
        _flatten(value, heads),
        num_heads=heads,
        dropout=dropout,
        reach=None if sliding_window is None else sliding_window - 1,
    )
    return context.view(1, size, heads, width), None


def _flatten(states: Tensor, heads: int) -> Tensor:
    """Lay the heads of each token side by side, (T, heads * D); heads that queries share are repeated."""
    if states.shape[1] != heads:
        states = states.repeat_interleave(heads // states.shape[1], dim=1)
    return states[0].transpose(0, 1).reshape(states.shape[2], -1)


AttentionInterface.register(NAME, packed_or_padded)
AttentionMaskInterface.register(NAME, sdpa_mask)


def use_packed_attention(model: PreTrainedModel) -> None:
    """Let a model's layers call our function; on padded input the model gives what it gave before."""
    model.set_attn_implementation(NAME)


def encode(
    model: PreTrainedModel,
    form: InputForm,
    tokens: PackedTokens,
    wanted: QueryRows | None,
    *,
    attention: Attention,
    perturbation: Tensor | None,
) -> Tensor:
    """Return last hidden states, (T, H), or (R, H) of the wanted tokens.

    Args:
        model: The model, after `use_packed_attention`.
        form: What it wants to know of each token.
        tokens: The packed sequences.
        wanted: The tokens whose states are returned, and for some families computed in the last layer; None for all.
        attention: How attention is computed.
        perturbation: Added to the embedding output, (T, E); None for nothing.
    """
    only: AbstractContextManager[None] = nullcontext()
    if wanted is not None and model.config.model_type in LAST_LAYERS:
        only = OnWantedRows(model, wanted.rows, build_attention(attention, tokens, wanted))
        wanted = None
    with adding_to_embeddings(model, perturbation), only:
        found = model(
            **form.packed(tokens),
            attention_mask=torch.empty(1, 1, 1, 1, device=tokens.input_ids.device),  # 4D: no other mask is made
            packed_attention=build_attention(attention, tokens),
        )
    hidden: Tensor = found[0][0]
    return hidden if wanted is None else hidden.index_select(0, wanted.rows)
