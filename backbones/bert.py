"""Hugging Face's BERT, computed on packed tokens: the same weights and numbers, no padding."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call
from transformers import BertModel
from transformers.models.bert.modeling_bert import BertLayer

from backbones.adapter import Adapter
from backbones.attention import Attend, Attention, build_attention
from backbones.casting import WeightCasts, cast_linear_weights
from backbones.compilation import CompileMode, compile_or_fall_back
from backbones.dropout import use_bit_dropout
from backbones.packing import PackedTokens, QueryRows
from backbones.pooling import mean_pool

Pooling = Literal["pooler", "cls", "mean"]
# Returns what is added before a layer's last LayerNorm, from what the layer reads, its wanted rows and the attention.
TaskLayers = Callable[[Tensor, Tensor, Attend], Tensor]


class Backbone(nn.Module):
    """One vector for each packed sequence.

    Args:
        bert: The model whose modules and weights are used.
        pooling: `pooler` for tanh of a linear layer on the first token (BERT's own), `cls` for the first token's
            last hidden state, `mean` for the average over the sequence.
        frozen: Keep the weights as they are: evaluation mode, no gradients.
        adapter: A small number of new weights in or next to the model, and which of its own train.
        tasks: Names of the tasks, for an adapter that has weights of each.

    Attributes:
        attention: How attention is computed; see backbones.attention. The numbers are the same.
        weight_casts: Whether autocast casts each weight by itself or all are cast together, with the same numbers and
            fewer operations; where the encoder is compiled, `each`.

    Raises:
        ValueError: If `pooling` is `pooler` and the model has none, or the adapter does not fit.

    Source: padding is removed as in https://github.com/bytedance/effective_transformer; the last layer is computed
        only where it is read, as in MosaicBERT, https://arxiv.org/abs/2312.17482
    """

    def __init__(
        self,
        bert: BertModel,
        *,
        pooling: Pooling = "pooler",
        frozen: bool = False,
        adapter: Adapter | None = None,
        tasks: Sequence[str] = (),
    ) -> None:
        super().__init__()
        if pooling == "pooler" and bert.pooler is None:
            raise ValueError("the backbone has no pooler (choose pooling cls or mean, or fresh_layers: true)")
        use_bit_dropout(bert)
        self.bert = bert
        self.pooling = pooling
        self.frozen = frozen
        self.attention: Attention = "grouped"
        self.weight_casts: WeightCasts = "each"
        self._pool_static: Callable[[PackedTokens], Tensor] = self._pool
        self.requires_grad_(not frozen)
        self._adapter = adapter
        self.task_layers = None if adapter is None else adapter.attach(bert, tasks)
        self.train()

    @property
    def hidden_size(self) -> int:
        """Size of a pooled vector (H)."""
        return int(self.bert.config.hidden_size)

    @property
    def attention_heads(self) -> tuple[tuple[int, int], ...]:
        """Number and size of the attention heads, and of those of an adapter."""
        number = int(self.bert.config.num_attention_heads)
        return (number, self.hidden_size // number), *(
            () if self.task_layers is None else self.task_layers.attention_heads
        )

    def meaning(self) -> dict[str, Any]:
        """Return what its vectors depend on beside the weights and their shapes, as plain data."""
        config = self.bert.config
        return {
            "pooling": self.pooling,
            "num_attention_heads": config.num_attention_heads,
            "hidden_act": str(config.hidden_act),
            "layer_norm_eps": config.layer_norm_eps,
            "adapter": None if self._adapter is None else self._adapter.meaning(),
        }

    def shared_parameters(self) -> dict[str, nn.Parameter]:
        """Return by name the weights that train and that all tasks share: not what an adapter has for each task."""
        return {
            name: weight
            for name, weight in self.named_parameters()
            if weight.requires_grad and not name.startswith("task_layers.")
        }

    @staticmethod
    def depth_of(name: str) -> int | None:
        """Return the depth of a parameter: 0 in the embeddings, k in layer k (from 1), None above the layers.

        Args:
            name: Its name in `named_parameters`.

        Example:
            >>> [Backbone.depth_of(f"bert.{name}") for name in ("embeddings.LayerNorm.bias", "encoder.layer.0.a", "x")]
            [0, 1, None]
        """
        layer = re.search(r"\blayer\.(\d+)\.", f"{name}.")
        if layer is not None:
            return int(layer[1]) + 1
        return 0 if re.search(r"\bembeddings\.", name) else None

    def set_frozen(self, on: bool) -> None:
        """Freeze the weights for some steps, or train them again; `requires_grad` is unchanged."""
        self.frozen = on
        self.train()

    def train(self, mode: bool = True) -> "Backbone":
        """Switch dropout on or off; a frozen backbone stays in evaluation mode."""
        super().train(mode and not self.frozen)
        return self

    def compile_training(self, mode: CompileMode) -> None:
        """Compile the forward and backward of training batches with static shapes; all others run as before.

        A function is compiled, not the module: the names of the weights stay.

        Args:
            mode: `default`, or `reduce-overhead` for CUDA graphs.
        """
        assert self.task_layers is None, "an adapter's task layers have other weights for each task"
        self._pool_static = compile_or_fall_back(self._pool, mode)

    def forward(
        self,
        tokens: PackedTokens,
        task: str | None = None,
        perturbation: Tensor | None = None,
        *,
        has_cast_weights: bool = False,
    ) -> Tensor:
        """Return one vector a sequence, (N, H), without those that only fill up a static shape.

        Args:
            tokens: The packed sequences.
            task: Name of their task; needed where an adapter has weights of each task.
            perturbation: Added to the embedding output, (T, H); such a pass is never compiled.
            has_cast_weights: Whether the weights are already in autocast's type.
        """
        device_type = tokens.input_ids.device.type
        if self.weight_casts == "together" and not has_cast_weights and torch.is_autocast_enabled(device_type):
            weights = cast_linear_weights(self, torch.get_autocast_dtype(device_type))
            cast: Tensor = functional_call(self, weights, (tokens, task, perturbation), {"has_cast_weights": True})
            return cast
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            is_compiled = tokens.is_static and self.training and perturbation is None and self.task_layers is None
            every = self._pool_static(tokens) if is_compiled else self._pool(tokens, task, perturbation)
            return every[: tokens.num_sequences]

    def _pool(self, tokens: PackedTokens, task: str | None = None, perturbation: Tensor | None = None) -> Tensor:
        """Return one vector a sequence, of all sequences."""
        if self.pooling == "mean":
            hidden = self.encode(tokens, task=task, perturbation=perturbation)
            return mean_pool(hidden, tokens.sequence_ids, tokens.cu_seqlens)
        first = self.encode(tokens, tokens.firsts, task=task, perturbation=perturbation)
        if self.pooling == "cls":
            return first
        pooled: Tensor = self.bert.pooler(first[:, None])  # (N, H)
        return pooled

    def encode(
        self,
        tokens: PackedTokens,
        wanted: QueryRows | None = None,
        *,
        task: str | None = None,
        perturbation: Tensor | None = None,
    ) -> Tensor:
        """Return last hidden states.

        Args:
            tokens: The packed sequences.
            wanted: The tokens to compute the last layer for; None for all.
            task: As for `forward`.
            perturbation: Added to the embedding output, after its LayerNorm and dropout, (T, H); None for nothing.

        Returns:
            Hidden states, (T, H), or (R, H) of the wanted tokens.
        """
        hidden = self.bert.embeddings(
            input_ids=tokens.input_ids[None],
            token_type_ids=tokens.token_type_ids[None],
            position_ids=tokens.position_ids[None],
        )[0]
        if perturbation is not None:
            hidden = hidden + perturbation
        layers: list[Any] = list(self.bert.encoder.layer)
        attend = build_attention(self.attention, tokens)
        for number, layer in enumerate(layers[:-1]):
            hidden = _run_layer(layer, hidden, attend, task_layers=self._task_layers(number, task))
        if wanted is not None:
            attend = build_attention(self.attention, tokens, wanted)
        return _run_layer(layers[-1], hidden, attend, wanted, task_layers=self._task_layers(len(layers) - 1, task))

    def _task_layers(self, number: int, task: str | None) -> TaskLayers | None:
        """Return what an adapter adds in a layer, if anything."""
        if self.task_layers is None:
            return None
        if task is None:
            raise ValueError("the adapter has weights of each task (expected the name of the batch's task)")
        return partial(self.task_layers, task, number)


def _run_layer(
    layer: BertLayer,
    hidden: Tensor,
    attend: Attend,
    wanted: QueryRows | None = None,
    *,
    task_layers: TaskLayers | None = None,
) -> Tensor:
    """Run one BERT layer on packed states (T, H); with `wanted`, only for those rows, (R, H)."""
    inner = layer.attention.self
    asking = hidden if wanted is None else hidden.index_select(0, wanted.rows)  # (R, H)
    context = attend(
        inner.query(asking),
        inner.key(hidden),
        inner.value(hidden),
        num_heads=inner.num_attention_heads,
        dropout=inner.dropout.p if layer.training else 0.0,
    )
    attended = layer.attention.output(context, asking)
    kept = attended if task_layers is None else attended + task_layers(hidden, asking, attend)
    result: Tensor = layer.output(layer.intermediate(attended), kept)
    return result
