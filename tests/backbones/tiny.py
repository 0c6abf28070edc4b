"""A tiny BERT, batches to try it on, and the Hugging Face model on padded input as the reference."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import BertModel

from backbones import PackedTokens, Pooling, build_encoder, pack

MAX_LENGTH = 40
POOLINGS: tuple[Pooling, ...] = get_args(Pooling)
BATCHES = {
    "one sequence": [7],
    "one token": [1],
    "equal lengths": [5] * 6,
    "one very long and many short": [MAX_LENGTH, *[2, 3, 1] * 4],
    "mixed, some at the longest length": [12, MAX_LENGTH, 3, 19, MAX_LENGTH, 8, 27, 5, 3],
}


@dataclass(frozen=True)
class Sequences:
    """Token ids and segment ids of each sequence."""

    ids: list[NDArray[np.int64]]
    types: list[NDArray[np.int64]]

    def pack(self, num_groups: int = 4) -> PackedTokens:
        lengths = np.array([len(ids) for ids in self.ids])
        return pack(np.concatenate(self.ids), np.concatenate(self.types), lengths, num_groups=num_groups)

    def pad(self) -> dict[str, Tensor]:
        arrays = {
            "input_ids": self.ids,
            "token_type_ids": self.types,
            "attention_mask": list(map(np.ones_like, self.ids)),
        }
        return {
            name: nn.utils.rnn.pad_sequence([torch.from_numpy(row) for row in rows], batch_first=True)
            for name, rows in arrays.items()
        }


def draw(lengths: Sequence[int], *, seed: int = 0) -> Sequences:
    rng = np.random.default_rng(seed)
    return Sequences(
        [rng.integers(1, 99, size=length) for length in lengths],
        [(np.arange(length) >= rng.integers(1, length + 1)).astype(np.int64) for length in lengths],
    )


def tiny_bert(*, hidden_dropout: float = 0.0, attention_dropout: float = 0.0, num_layers: int = 2) -> BertModel:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        bert = build_encoder(
            {
                "vocab_size": 99,
                "hidden_size": 16,
                "num_hidden_layers": num_layers,
                "num_attention_heads": 2,
                "intermediate_size": 24,
                "max_position_embeddings": MAX_LENGTH,
                "hidden_dropout_prob": hidden_dropout,
                "attention_probs_dropout_prob": attention_dropout,
            }
        )
        with torch.no_grad():
            for parameter in bert.parameters():  # biases start at 0 and attention almost uniform: too easy a test
                parameter.add_(0.2 * torch.randn_like(parameter))
    return bert


def padded_hidden(bert: BertModel, sequences: Sequences) -> Tensor:
    batch = sequences.pad()
    hidden: Tensor = bert(**batch).last_hidden_state[batch["attention_mask"].bool()]
    return hidden


def padded_pooled(bert: BertModel, sequences: Sequences, pooling: Pooling) -> Tensor:
    batch = sequences.pad()
    output = bert(**batch)
    if pooling == "mean":
        mask = batch["attention_mask"][:, :, None]
        mean: Tensor = (output.last_hidden_state * mask).sum(1) / mask.sum(1)
        return mean
    pooled: Tensor = output.pooler_output if pooling == "pooler" else output.last_hidden_state[:, 0]
    return pooled


def loss_and_gradients(bert: BertModel, pooled: Tensor) -> tuple[Tensor, dict[str, Tensor | None]]:
    target = torch.linspace(-1, 1, pooled.numel(), dtype=pooled.dtype).view_as(pooled)
    bert.zero_grad()
    loss = nn.functional.mse_loss(pooled, target)
    loss.backward()
    return loss.detach(), {name: parameter.grad for name, parameter in bert.named_parameters()}


def assert_same(found: object, expected: object, tolerance: float = 1e-5) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)
