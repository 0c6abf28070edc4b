"""The last layer of some families on the attention interface, computed only for the rows that are read."""

from collections.abc import Callable
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from backbones.attention import Attend
from transformers_internals import last_layer, rotate_queries_and_keys

# Returns the states of the wanted rows, (R, H), from what the layer reads, (T, H), and its other arguments.
LastLayer = Callable[[Any, Tensor, Tensor, Attend, dict[str, Any]], Tensor]


def _modernbert(layer: Any, hidden: Tensor, rows: Tensor, attend: Attend, options: dict[str, Any]) -> Tensor:
    inner, asking = layer.attn, hidden.index_select(0, rows)
    size, heads = hidden.shape[-1], hidden.shape[-1] // inner.head_dim
    query, key, value = inner.Wqkv(layer.attn_norm(hidden)).split(size, dim=-1)
    query, key = rotate_queries_and_keys(query, key, inner.head_dim, options["position_embeddings"])
    reach = None if inner.sliding_window is None else inner.sliding_window - 1
    dropout = inner.attention_dropout if layer.training else 0.0
    context = attend(query.index_select(0, rows), key, value, num_heads=heads, dropout=dropout, reach=reach)
    attended = asking + inner.out_drop(inner.Wo(context))
    result: Tensor = attended + layer.mlp(layer.mlp_norm(attended))
    return result


def _distilbert(layer: Any, hidden: Tensor, rows: Tensor, attend: Attend, options: dict[str, Any]) -> Tensor:
    inner, asking = layer.attention, hidden.index_select(0, rows)
    context = attend(
        inner.q_lin(asking),
        inner.k_lin(hidden),
        inner.v_lin(hidden),
        num_heads=inner.n_heads,
        dropout=inner.dropout.p if layer.training else 0.0,
    )
    attended = layer.sa_layer_norm(inner.out_lin(context) + asking)
    result: Tensor = layer.output_layer_norm(layer.ffn(attended[None])[0] + attended)
    return result


LAST_LAYERS: dict[str, LastLayer] = {"modernbert": _modernbert, "distilbert": _distilbert}


class OnWantedRows:
    """While entered, the last layer of a model gives the states of some rows only, (1, R, H).

    Args:
        model: A model of one of LAST_LAYERS.
        rows: The rows, (R,).
        attend: Attention of these rows.
    """

    def __init__(self, model: PreTrainedModel, rows: Tensor, attend: Attend) -> None:
        self._layer: Any = last_layer(model)
        self._run, self._rows, self._attend = LAST_LAYERS[model.config.model_type], rows, attend

    def __enter__(self) -> None:
        self._layer.forward = self._forward

    def __exit__(self, *_: object) -> None:
        del self._layer.forward

    def _forward(self, hidden: Tensor, *_: Any, **options: Any) -> Tensor:
        return self._run(self._layer, hidden[0], self._rows, self._attend, options)[None]
