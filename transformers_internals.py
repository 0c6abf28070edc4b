"""What this project asks of transformers that has no public name: each question once, with the line that it mirrors.

Lines are those of transformers 5.23.0; tests/test_transformers_internals.py holds every answer against that version.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.initialization import no_init_weights as no_init_weights
from transformers.integrations.sdpa_attention import sdpa_attention_forward as sdpa_attention_forward
from transformers.masking_utils import sdpa_mask as sdpa_mask
from transformers.models.bert.modeling_bert import BertPredictionHeadTransform as BertPredictionHeadTransform
from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position as _bucket_distances
from transformers.models.modernbert.modeling_modernbert import ModernBertPredictionHead as ModernBertPredictionHead
from transformers.models.modernbert.modeling_modernbert import apply_rotary_pos_emb as _rotate
from transformers.utils.peft_utils import find_adapter_config_file as find_adapter_config_file


def takes_attention_function(model: PreTrainedModel) -> bool:
    """Whether a model calls the registered attention function in every layer (modeling_utils.py:1143)."""
    return bool(model._supports_attention_backend)


def embeddings_of(model: PreTrainedModel) -> nn.Module:
    """Return the module whose output the first layer reads, up to a projection (modeling_bert.py:53)."""
    module = getattr(model, "embeddings", None)
    return module if isinstance(module, nn.Module) else model.get_input_embeddings()


class LayerParts(NamedTuple):
    """The parts of a layer, each computed by the layer's own modules.

    BERT's (modeling_bert.py:354, modeling_bert.py:139; the same names in roberta, electra and ernie), MPNet's
    (modeling_mpnet.py:234) and DeBERTa's (modeling_deberta_v2.py:410).

    Args:
        query: The linear layer of the queries.
        key: That of the keys.
        value: That of the values.
        num_heads: Attention heads.
        dropout: Of the attention weights.
        attended: Takes the context and what the layer reads; dense layer, dropout, residual, LayerNorm.
        intermediate: The first linear layer and the activation.
        output: The second linear layer, dropout, residual, LayerNorm.
    """

    query: Any
    key: Any
    value: Any
    num_heads: int
    dropout: Any
    attended: Any
    intermediate: Any
    output: Any


def layers_of(model: PreTrainedModel) -> Sequence[LayerParts]:
    """Return the layers of a model of BERT's form."""
    encoder: Any = model.encoder
    return [_parts_of(layer) for layer in encoder.layer]


def _parts_of(layer: Any) -> LayerParts:
    attention = layer.attention

    def attended(context: Tensor, asking: Tensor) -> Tensor:  # modeling_mpnet.py:198
        normed: Tensor = attention.LayerNorm(attention.dropout(attention.attn.o(context)) + asking)
        return normed

    if hasattr(attention, "attn"):
        inner, own = attention.attn, attended
        projections = inner.q, inner.k, inner.v
    else:
        inner, own = attention.self, attention.output
        suffix = "_proj" if hasattr(inner, "query_proj") else ""
        projections = tuple(getattr(inner, f"{name}{suffix}") for name in ("query", "key", "value"))
    return LayerParts(*projections, inner.num_attention_heads, inner.dropout, own, layer.intermediate, layer.output)


def distance_bias(model: PreTrainedModel, distance: Tensor) -> Tensor:
    """Return what MPNet adds to the scores of tokens at a distance, (n, heads, Q, L) (modeling_mpnet.py:312).

    Args:
        model: An MPNet.
        distance: Position of the query less that of the key, (n, Q, L).
    """
    encoder: Any = model.encoder
    bias: Tensor = encoder.relative_attention_bias(encoder.relative_position_bucket(-distance))
    return bias.permute(0, 3, 1, 2)


class DistanceProjections(NamedTuple):
    """What a layer of a DeBERTa does with its table of distances (modeling_deberta_v2.py:290).

    Args:
        dropout: Of the table.
        key: Makes keys of it; None where the scores have no such part.
        query: Makes queries of it, likewise.
    """

    dropout: Any
    key: Any
    query: Any


def distance_projections(model: PreTrainedModel, number: int) -> DistanceProjections:
    """Return those of a layer."""
    encoder: Any = model.encoder
    inner = encoder.layer[number].attention.self
    names = ("key_proj", "query_proj") if inner.share_att_key else ("pos_key_proj", "pos_query_proj")
    key, query = (
        getattr(inner, name) if kind in inner.pos_att_type else None
        for kind, name in zip(("c2p", "p2c"), names, strict=True)
    )
    return DistanceProjections(inner.pos_dropout, key, query)


def distance_table(model: PreTrainedModel) -> Tensor:
    """Return a DeBERTa's table of distances, (2 * span, H) (modeling_deberta_v2.py:589)."""
    encoder: Any = model.encoder
    table: Tensor = encoder.get_rel_embedding()
    return table


def distance_buckets(model: PreTrainedModel, distance: Tensor) -> Tensor:
    """Return the buckets of distances, of the same shape (modeling_deberta_v2.py:56)."""
    encoder: Any = model.encoder
    if encoder.position_buckets <= 0:
        return distance
    buckets: Tensor = _bucket_distances(distance, encoder.position_buckets, encoder.max_relative_positions)
    return buckets.long()


def distance_span(model: PreTrainedModel, length: int | None = None) -> int:
    """Return half of the rows of the table, or of those that sequences of some length read.

    Up to half of the buckets a bucket is its distance (modeling_deberta_v2.py:67).
    """
    encoder: Any = model.encoder
    span: int = encoder.position_buckets if encoder.position_buckets > 0 else encoder.max_relative_positions
    exact = span // 2 if encoder.position_buckets > 0 else span
    return span if length is None or length > exact else length


def encoder_of(model: PreTrainedModel) -> nn.Module:
    """Return the module that holds the layers (modeling_bert.py:607, modeling_modernbert.py:406).

    DistilBERT's is `transformer` (modeling_distilbert.py:322).
    """
    names = ("encoder", "layers", "transformer")
    found: nn.Module = next(getattr(model, name) for name in names if hasattr(model, name))
    return found


def projected_embeddings(model: PreTrainedModel, embedded: Tensor) -> Tensor:
    """Bring embeddings to the hidden size where a model does so in a layer of its own (modeling_electra.py:605)."""
    project = getattr(model, "embeddings_project", None)
    if project is None:
        return embedded
    projected: Tensor = project(embedded)
    return projected


def last_layer(model: PreTrainedModel) -> Any:
    """Return the last layer of a ModernBERT or DistilBERT (modeling_modernbert.py:406, modeling_distilbert.py:265)."""
    holder: Any = model
    return holder.layers[-1] if hasattr(holder, "layers") else holder.transformer.layer[-1]


def rotate_queries_and_keys(
    query: Tensor, key: Tensor, head_size: int, embeddings: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """Rotate the heads of queries and keys, (T, H) each, as ModernBERT does (modeling_modernbert.py:185)."""
    split = [states.view(1, states.shape[0], -1, head_size).transpose(1, 2) for states in (query, key)]
    rotated = _rotate(*split, *embeddings)  # (1, heads, T, D) each
    first, second = (states[0].transpose(0, 1).reshape(query.shape) for states in rotated)
    return first, second
