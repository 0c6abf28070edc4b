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
from transformers.models.modernbert.modeling_modernbert import ModernBertPredictionHead as ModernBertPredictionHead
from transformers.models.modernbert.modeling_modernbert import apply_rotary_pos_emb as _rotate


def takes_attention_function(model: PreTrainedModel) -> bool:
    """Whether a model calls the registered attention function in every layer (modeling_utils.py:1143)."""
    return bool(model._supports_attention_backend)


def embeddings_of(model: PreTrainedModel) -> nn.Module:
    """Return the module whose output the first layer reads, up to a projection (modeling_bert.py:53)."""
    module = getattr(model, "embeddings", None)
    return module if isinstance(module, nn.Module) else model.get_input_embeddings()


class BertLayerParts(NamedTuple):
    """The parts of a layer of BERT's form (modeling_bert.py:354; the same names in roberta, electra and ernie).

    Args:
        attention: Holds `query`, `key`, `value`, `num_attention_heads` and `dropout` (modeling_bert.py:139).
        attended: Takes the context and what the layer reads; dense layer, dropout, residual, LayerNorm.
        intermediate: The first linear layer and the activation.
        output: The second linear layer, dropout, residual, LayerNorm.
    """

    attention: Any
    attended: Any
    intermediate: Any
    output: Any


def bert_layers(model: PreTrainedModel) -> Sequence[BertLayerParts]:
    """Return the layers of a model of BERT's form."""
    encoder: Any = model.encoder
    return [
        BertLayerParts(layer.attention.self, layer.attention.output, layer.intermediate, layer.output)
        for layer in encoder.layer
    ]


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


class RelativePositionParts(NamedTuple):
    """What in a DeBERTa depends on relative positions alone.

    Args:
        encoder: Has `get_rel_embedding` (modeling_deberta_v2.py:589, modeling_deberta.py:527).
        modules: Dropout and projections of the table, some of which project states too (modeling_deberta_v2.py:170).
    """

    encoder: Any
    modules: Sequence[Any]

    def table(self) -> Tensor | None:
        """Return the table of relative positions; None where the model has none."""
        found: Tensor | None = self.encoder.get_rel_embedding()
        return found


_POSITION_MODULES = (
    "pos_dropout",
    "query_proj",
    "key_proj",
    "pos_query_proj",
    "pos_key_proj",
    "pos_proj",
    "pos_q_proj",
)


def relative_position_parts(model: PreTrainedModel) -> RelativePositionParts | None:
    """Return the parts of a DeBERTa; None of another model."""
    encoder: Any = getattr(model, "encoder", None)
    if not hasattr(encoder, "get_rel_embedding"):
        return None
    attentions = [layer.attention.self for layer in encoder.layer]
    modules = [getattr(attention, name, None) for attention in attentions for name in _POSITION_MODULES]
    return RelativePositionParts(encoder, [module for module in modules if module is not None])


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
