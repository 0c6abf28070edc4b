"""Encoders of BERT's form, computed on packed tokens layer by layer: the last layer only where it is read.

Source: padding is removed as in https://github.com/bytedance/effective_transformer; the last layer is computed only
where it is read, as in MosaicBERT, https://arxiv.org/abs/2312.17482
"""

from collections.abc import Callable

from torch import Tensor
from transformers import PreTrainedModel

from backbones.attention import Attend, Attention, build_attention
from backbones.inputs import InputForm
from backbones.packing import PackedTokens, QueryRows
from transformers_internals import BertLayerParts, bert_layers, embeddings_of, projected_embeddings

# Returns what is added before a layer's last LayerNorm, from what the layer reads, its wanted rows and the attention.
TaskLayer = Callable[[Tensor, Tensor, Attend], Tensor]
TaskLayerOf = Callable[[int], TaskLayer | None]  # by the number of the layer


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
    layers = bert_layers(model)
    attend = build_attention(attention, tokens)
    for number, layer in enumerate(layers[:-1]):
        hidden = _run_layer(layer, hidden, attend, task_layer=task_layer(number))
    if wanted is not None:
        attend = build_attention(attention, tokens, wanted)
    return _run_layer(layers[-1], hidden, attend, wanted, task_layer=task_layer(len(layers) - 1))


def _run_layer(
    layer: BertLayerParts,
    hidden: Tensor,
    attend: Attend,
    wanted: QueryRows | None = None,
    *,
    task_layer: TaskLayer | None = None,
) -> Tensor:
    """Run one layer on packed states (T, H); with `wanted`, only for those rows, (R, H)."""
    inner = layer.attention
    asking = hidden if wanted is None else hidden.index_select(0, wanted.rows)  # (R, H)
    context = attend(
        inner.query(asking),
        inner.key(hidden),
        inner.value(hidden),
        num_heads=inner.num_attention_heads,
        dropout=inner.dropout.p if inner.training else 0.0,
    )
    attended = layer.attended(context, asking)
    kept = attended if task_layer is None else attended + task_layer(hidden, asking, attend)
    result: Tensor = layer.output(layer.intermediate(attended), kept)
    return result
