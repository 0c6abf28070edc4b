"""Hugging Face's BERT, computed on packed tokens: the same weights and numbers, no padding."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import BertModel
from transformers.models.bert.modeling_bert import BertLayer

from backbones.adapter import Adapter, Attend
from backbones.packing import PackedTokens, QueryRows
from backbones.pooling import mean_pool

Pooling = Literal["pooler", "cls", "mean"]
# Gives what is added before a layer's last LayerNorm, from what the layer reads, its wanted rows and the attention.
Beside = Callable[[Tensor, Tensor, Attend], Tensor]


class Backbone(nn.Module):
    """One vector for each packed sequence.

    Args:
        bert: The model whose modules and weights are used.
        pooling: `pooler` for tanh of a linear layer on the first token (BERT's own), `cls` for the first token's
            last hidden state, `mean` for the average over the sequence.
        frozen: Keep the weights as they are: evaluation mode, no gradients.
        adapter: Few new weights in or beside the model, and which of its own train.
        tasks: Names of the tasks, for an adapter that has weights of each.

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
        self.bert = bert
        self.pooling = pooling
        self.frozen = frozen
        self.requires_grad_(not frozen)
        self.beside = None if adapter is None else adapter.attach(bert, tasks)
        self.train()

    @property
    def hidden_size(self) -> int:
        """Size of a pooled vector (H)."""
        return int(self.bert.config.hidden_size)

    def rest(self, on: bool) -> None:
        """Let the weights rest for some steps, or train again; which of them can train stays as it is."""
        self.frozen = on
        self.train()

    def train(self, mode: bool = True) -> "Backbone":
        """Switch dropout on or off; a frozen backbone stays in evaluation mode."""
        super().train(mode and not self.frozen)
        return self

    def forward(self, tokens: PackedTokens, task: str | None = None) -> Tensor:
        """Give one vector a sequence, (N, H).

        Args:
            tokens: The packed sequences.
            task: Name of their task; needed where an adapter has weights of each task.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            if self.pooling == "mean":
                return mean_pool(self.encode(tokens, task=task), tokens.sequence_ids, tokens.cu_seqlens)
            first = self.encode(tokens, tokens.firsts, task=task)
            if self.pooling == "cls":
                return first
            pooled: Tensor = self.bert.pooler(first[:, None])
            return pooled

    def encode(self, tokens: PackedTokens, wanted: QueryRows | None = None, *, task: str | None = None) -> Tensor:
        """Give last hidden states.

        Args:
            tokens: The packed sequences.
            wanted: The tokens to compute the last layer for; None for all.
            task: As for `forward`.

        Returns:
            Hidden states, (T, H), or (R, H) of the wanted tokens.
        """
        hidden = self.bert.embeddings(
            input_ids=tokens.input_ids[None],
            token_type_ids=tokens.token_type_ids[None],
            position_ids=tokens.position_ids[None],
        )[0]
        layers: list[Any] = list(self.bert.encoder.layer)
        for number, layer in enumerate(layers[:-1]):
            hidden = _run_layer(layer, hidden, tokens, beside=self._beside(number, task))
        return _run_layer(layers[-1], hidden, tokens, wanted, beside=self._beside(len(layers) - 1, task))

    def _beside(self, number: int, task: str | None) -> Beside | None:
        """Give what an adapter adds in a layer, if anything."""
        if self.beside is None:
            return None
        if task is None:
            raise ValueError("the adapter has weights of each task (expected the name of the batch's task)")
        return partial(self.beside, task, number)


def _run_layer(
    layer: BertLayer,
    hidden: Tensor,
    tokens: PackedTokens,
    wanted: QueryRows | None = None,
    *,
    beside: Beside | None = None,
) -> Tensor:
    """Run one BERT layer on packed states (T, H); with `wanted`, only for those rows, (R, H)."""
    inner = layer.attention.self
    asking = hidden if wanted is None else hidden.index_select(0, wanted.rows)
    attend = partial(
        _attend,
        tokens=tokens,
        queries=[group.queries for group in tokens.groups] if wanted is None else wanted.groups,
        slots=tokens.slots if wanted is None else wanted.slots,
    )
    context = attend(
        inner.query(asking),
        inner.key(hidden),
        inner.value(hidden),
        num_heads=inner.num_attention_heads,
        dropout=inner.dropout.p if layer.training else 0.0,
    )
    attended = layer.attention.output(context, asking)
    kept = attended if beside is None else attended + beside(hidden, asking, attend)
    result: Tensor = layer.output(layer.intermediate(attended), kept)
    return result


def _attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    tokens: PackedTokens,
    *,
    queries: Sequence[Tensor],
    slots: Tensor,
    num_heads: int,
    dropout: float,
) -> Tensor:
    """Attend inside each sequence: rows (R, H) ask, rows (T, H) answer, padded only here and only within a group."""
    results = []
    for group, asking in zip(tokens.groups, queries, strict=True):
        context = F.scaled_dot_product_attention(
            _split_heads(query, asking, num_heads),
            _split_heads(key, group.keys, num_heads),
            _split_heads(value, group.keys, num_heads),
            attn_mask=group.mask,
            dropout_p=dropout,
        )  # (n, heads, K, H / heads)
        results.append(context.transpose(1, 2).reshape(-1, query.shape[1]))
    return torch.cat(results).index_select(0, slots)


def _split_heads(states: Tensor, rows: Tensor, num_heads: int) -> Tensor:
    """Gather rows (n, L) of states (T, H) into (n, heads, L, H / heads)."""
    gathered = states.index_select(0, rows.flatten())
    return gathered.view(*rows.shape, num_heads, states.shape[1] // num_heads).transpose(1, 2)
