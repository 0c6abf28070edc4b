"""A Hugging Face encoder, computed on packed tokens: the same weights and numbers, no padding."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from transformers import PreTrainedModel

from backbones.adapter import Adapter
from backbones.attention import Attention
from backbones.attention_groups import QueryRows
from backbones.attention_probe import AttentionChoice, choose_attention
from backbones.casting import WeightCasts, cast_linear_weights
from backbones.compilation import CompileMode, compile_or_fall_back
from backbones.dropout import use_bit_dropout
from backbones.families import (
    OVERFLOWS_IN_HALF,
    Pooling,
    Way,
    apply_pooler,
    describe,
    embedding_size,
    has_relative_scores,
    head_shape,
    pooler_reads,
    reach_of_attention,
)
from backbones.inputs import InputForm
from backbones.own_forward import TaskLayer
from backbones.packing import PackedTokens
from backbones.pooling import mean_pool
from backbones.ways import encode_packed, prepare
from runtime.errors import InputError

# What stands before the first layer, or what all layers read, by its names in the families.
BELOW_LAYERS = (
    r"embeddings(_project)?|embed_(tokens|positions)|embedding_hidden_mapping_in|rel_embeddings|relative_attention_bias"
)


class Backbone(nn.Module):
    """One vector for each packed sequence.

    Three ways lead to the padded model's numbers: `own`, layer by layer, for encoders whose layers have BERT's parts;
    `interface`, through the model's own forward, where its layers call a registered attention function;
    `length-groups`, the padded model itself on a few groups of sequences of similar length, for all others.

    Args:
        bert: The model whose modules and weights are used, of whatever family (see `backbones.families`).
        pooling: `pooler` for the model's own layers on one vector a sequence (BERT's: tanh of a linear layer on the
            first token), `cls` for the first token's last hidden state, `mean` for the average over the sequence.
        frozen: Keep the weights as they are: evaluation mode, no gradients.
        adapter: A small number of new weights in or next to the model, and which of its own train.
        tasks: Names of the tasks, for an adapter that has weights of each.

    Attributes:
        way: How it is computed.
        attention: How attention is computed; see backbones.attention. The numbers are the same.
        weight_casts: Whether autocast casts each weight by itself or all are cast together, with the same numbers and
            fewer operations; where the encoder is compiled, `each`.

    Raises:
        ValueError: If `pooling` is `pooler` and the model has none, or the adapter does not fit.
    """

    def __init__(
        self,
        bert: PreTrainedModel,
        *,
        pooling: Pooling = "pooler",
        frozen: bool = False,
        adapter: Adapter | None = None,
        tasks: Sequence[str] = (),
    ) -> None:
        super().__init__()
        if pooling == "pooler" and getattr(bert, "pooler", None) is None:
            raise ValueError("the backbone has no pooler (choose pooling cls or mean, or fresh_layers: true)")
        use_bit_dropout(bert)
        self.way: Way = prepare(bert)
        self._form = InputForm.of(bert)
        self.bert: Any = bert
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
    def embedding_size(self) -> int:
        """Size of what the embeddings give for a token (E)."""
        return embedding_size(self.bert)

    @property
    def family(self) -> str:
        """Name of the architecture, as transformers calls it."""
        return str(self.bert.config.model_type)

    @property
    def attention_heads(self) -> tuple[tuple[int, int], ...]:
        """Number and size of the attention heads, and of those of an adapter."""
        return head_shape(self.bert.config), *(() if self.task_layers is None else self.task_layers.attention_heads)

    @property
    def has_own_attention(self) -> bool:
        """Whether attention is more than the softmax of scaled products, all that `masked` and `varlen` compute."""
        return self.way == "length-groups" or has_relative_scores(self.bert.config)

    def meaning(self) -> dict[str, Any]:
        """Return what its vectors depend on beside the weights and their shapes, as plain data."""
        return {
            "pooling": self.pooling,
            **describe(self.bert.config),
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

        What the layers share is below them (tables of distances) or the first of them (ALBERT's one layer).

        Args:
            name: Its name in `named_parameters`.

        Example:
            >>> [Backbone.depth_of(f"bert.{name}") for name in ("embeddings.LayerNorm.bias", "encoder.layer.0.a", "x")]
            [0, 1, None]
        """
        layer = re.search(r"\b(?:albert_)?layers?\.(\d+)\.", f"{name}.")
        if layer is not None:
            return int(layer[1]) + 1
        return 0 if re.search(rf"\b({BELOW_LAYERS})\.", name) else None

    def set_frozen(self, on: bool) -> None:
        """Freeze the weights for some steps, or train them again; `requires_grad` is unchanged."""
        self.frozen = on
        self.train()

    def train(self, mode: bool = True) -> "Backbone":
        """Switch dropout on or off; a frozen backbone stays in evaluation mode."""
        super().train(mode and not self.frozen)
        return self

    def choose_attention(
        self,
        choice: AttentionChoice,
        device: torch.device,
        *,
        dtype: torch.dtype,
        needs_static_shapes: bool = False,
    ) -> None:
        """Settle how attention is computed; a model's own is computed in groups.

        Args:
            choice: See `backbones.attention_probe.choose_attention`, as for the others.
            device: Where the backbone runs.
            dtype: Of queries, keys and values.
            needs_static_shapes: Whether the encoder is compiled.

        Raises:
            InputError: If the model cannot be computed in that type.
        """
        if self.family in OVERFLOWS_IN_HALF and dtype in (torch.bfloat16, torch.float16):
            raise InputError(f"{self.family} models overflow in half precision (expected precision 32-true)")
        if self.has_own_attention:
            self.attention = "grouped"
            return
        self.attention = choose_attention(
            choice,
            device,
            heads=self.attention_heads,
            reach=reach_of_attention(self.bert.config),
            dtype=dtype,
            needs_static_shapes=needs_static_shapes,
        )

    def compile_training(self, mode: CompileMode) -> None:
        """Compile the forward and backward of training batches with static shapes; all others run as before.

        A function is compiled, not the module: the names of the weights stay.

        Args:
            mode: `default`, or `reduce-overhead` for CUDA graphs.
        """
        assert self.task_layers is None, "an adapter's task layers have other weights for each task"
        assert self.way == "own", "the other ways are not compiled"
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
        reads = pooler_reads(self.bert.config) if self.pooling == "pooler" else self.pooling
        if reads == "mean":
            hidden = self.encode(tokens, task=task, perturbation=perturbation)
            vectors = mean_pool(hidden, tokens.sequence_ids, tokens.cu_seqlens)
        else:
            vectors = self.encode(tokens, tokens.firsts, task=task, perturbation=perturbation)
        return apply_pooler(self.bert, vectors) if self.pooling == "pooler" else vectors

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
            wanted: The tokens whose states are returned; None for all.
            task: As for `forward`.
            perturbation: Added to the embedding output, after its LayerNorm and dropout, (T, E); None for nothing.

        Returns:
            Hidden states, (T, H), or (R, H) of the wanted tokens.
        """
        return encode_packed(
            self.bert,
            self.way,
            self._form,
            tokens,
            wanted,
            attention=self.attention,
            perturbation=perturbation,
            task_layer=partial(self._task_layer, task),
        )

    def _task_layer(self, task: str | None, number: int) -> TaskLayer | None:
        """Return what an adapter adds in a layer, if anything."""
        if self.task_layers is None:
            return None
        if task is None:
            raise ValueError("the adapter has weights of each task (expected the name of the batch's task)")
        return partial(self.task_layers, task, number)
