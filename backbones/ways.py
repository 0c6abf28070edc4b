"""Last hidden states of packed tokens, by the way that an architecture allows."""

from torch import Tensor
from transformers import PreTrainedModel

from backbones import attention_interface, length_groups, own_forward
from backbones.attention import Attention
from backbones.attention_groups import QueryRows
from backbones.families import Way, choose_way
from backbones.inputs import InputForm
from backbones.own_forward import TaskLayerOf
from backbones.packing import PackedTokens


def prepare(model: PreTrainedModel) -> Way:
    """Set a model up for the way that it is computed, which is returned; on padded input it gives what it gave."""
    way = choose_way(model)
    if way == "interface":
        attention_interface.use_packed_attention(model)
    return way


def encode_packed(
    model: PreTrainedModel,
    way: Way,
    form: InputForm,
    tokens: PackedTokens,
    wanted: QueryRows | None = None,
    *,
    attention: Attention = "grouped",
    perturbation: Tensor | None = None,
    task_layer: TaskLayerOf = lambda number: None,
) -> Tensor:
    """Return last hidden states, (T, H), or (R, H) of the wanted tokens.

    Args:
        model: The model.
        way: How it is computed, see `choose_way`.
        form: What the model wants to know of each token.
        tokens: The packed sequences.
        wanted: The tokens whose states are returned; None for all.
        attention: How attention is computed; length groups have the model's own.
        perturbation: Added to the embedding output, (T, E); None for nothing.
        task_layer: What an adapter adds in a layer, which only the own forward can.
    """
    if way == "own":
        return own_forward.encode(
            model, form, tokens, wanted, attention=attention, perturbation=perturbation, task_layer=task_layer
        )
    if way == "interface":
        return attention_interface.encode(model, form, tokens, wanted, attention=attention, perturbation=perturbation)
    return length_groups.encode(model, form, tokens, wanted, perturbation=perturbation)
