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
from transformers.models.modernbert.modeling_modernbert import ModernBertPredictionHead as ModernBertPredictionHead


def takes_attention_function(model: PreTrainedModel) -> bool:
    """Whether a model calls the registered attention function in every layer (modeling_utils.py:1178)."""
    return bool(model._supports_attention_backend)


def embeddings_of(model: PreTrainedModel) -> nn.Module:
    """Return the module whose output the first layer reads, up to a projection (modeling_bert.py:45)."""
    module = getattr(model, "embeddings", None)
    return module if isinstance(module, nn.Module) else model.get_input_embeddings()


class BertLayerParts(NamedTuple):
    """The parts of a layer of BERT's form (modeling_bert.py:352; the same names in roberta, electra and ernie).

    Args:
        attention: Holds `query`, `key`, `value`, `num_attention_heads` and `dropout` (modeling_bert.py:144).
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
    layers: Any = model.encoder.layer
    return [
        BertLayerParts(layer.attention.self, layer.attention.output, layer.intermediate, layer.output)
        for layer in layers
    ]


def projected_embeddings(model: PreTrainedModel, embedded: Tensor) -> Tensor:
    """Bring embeddings to the hidden size where a model does so in a layer of its own (modeling_electra.py:557)."""
    project = getattr(model, "embeddings_project", None)
    if project is None:
        return embedded
    projected: Tensor = project(embedded)
    return projected
