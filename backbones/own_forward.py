"""Encoders whose layers have BERT's parts, computed on packed tokens: the last layer only where it is read.

Source: padding is removed as in https://github.com/bytedance/effective_transformer; the last layer is computed only
where it is read, as in MosaicBERT, https://arxiv.org/abs/2312.17482
"""

from collections.abc import Callable
from functools import partial

from torch import Tensor
from transformers import PreTrainedModel

from backbones.attention import Attend, Attention, GroupedAttention, build_attention
from backbones.attention_groups import QueryRows
from backbones.families import has_relative_scores
from backbones.inputs import InputForm
from backbones.packing import PackedTokens
from backbones.relative_scores import build_scores
from transformers_internals import LayerParts, embeddings_of, layers_of, projected_embeddings

# Returns what is added before a layer's last LayerNorm, from what the layer reads, its wanted rows and the attention.
TaskLayer = Callable[[Tensor, Tensor, Attend], Tensor]
TaskLayerOf = Callable[[int], TaskLayer | None]  # by the number of the layer
AttendOf = Callable[[int], Attend]


def encode(
    model: PreTrainedModel,
    form: InputForm,
    tokens: PackedTokens,
    wanted: QueryRows | None,
    *,
    attention: Attention,
    perturbation: Tensor | None,
    task_layer: TaskLayerOf,
) -> Tensor:
    """Return last hidden states, (T, H), or (R, H) of the wanted tokens.

    Args:
        model: The model.
        form: What it wants to know of each token.
        tokens: The packed sequences.
        wanted: The tokens to compute the last layer for; None for all.
        attention: How attention is computed.
        perturbation: Added to the embedding output, (T, E); None for nothing.
        task_layer: What an adapter adds in a layer, if anything.
    """
    hidden = embeddings_of(model)(**form.packed(tokens))[0]
    if perturbation is not None:
        hidden = hidden + perturbation
    hidden = projected_embeddings(model, hidden)
    layers = layers_of(model)
    attend_of = _attention_of_layers(model, attention, tokens, None)
    for number, layer in enumerate(layers[:-1]):
        hidden = _run_layer(layer, hidden, attend_of(number), task_layer=task_layer(number))
    if wanted is not None:
        attend_of = _attention_of_layers(model, attention, tokens, wanted)
    last = len(layers) - 1
    return _run_layer(layers[last], hidden, attend_of(last), wanted, task_layer=task_layer(last))


def _attention_of_layers(
    model: PreTrainedModel, attention: Attention, tokens: PackedTokens, wanted: QueryRows | None
) -> AttendOf:
    """Return the attention of each layer, by its number."""
    if not has_relative_scores(model.config):
        attend = build_attention(attention, tokens, wanted)
        return lambda number: attend
    assert attention == "grouped", "the other kinds have no scores but scaled products"
    grouped, scores = GroupedAttention(tokens, wanted), build_scores(model, tokens, wanted)
    return lambda number: partial(grouped.by_scores, scores=scores(number))


def _run_layer(
    layer: LayerParts,
    hidden: Tensor,
    attend: Attend,
    wanted: QueryRows | None = None,
    *,
    task_layer: TaskLayer | None = None,
) -> Tensor:
    """Run one layer on packed states (T, H); with `wanted`, only for those rows, (R, H)."""
    asking = hidden if wanted is None else hidden.index_select(0, wanted.rows)  # (R, H)
    context = attend(
        layer.query(asking),
        layer.key(hidden),
        layer.value(hidden),
        num_heads=layer.num_heads,
        dropout=layer.dropout.p if layer.dropout.training else 0.0,
    )
    attended = layer.attended(context, asking)
    kept = attended if task_layer is None else attended + task_layer(hidden, asking, attend)
    result: Tensor = layer.output(layer.intermediate(attended), kept)
    return result
