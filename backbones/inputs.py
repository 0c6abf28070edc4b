"""Packed tokens as the arguments of a Hugging Face encoder."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from backbones.families import num_segments, position_offset
from backbones.packing import PackedTokens
from transformers_internals import embeddings_of


@dataclass(frozen=True)
class InputForm:
    """What a model wants to know of each token.

    Args:
        segments: How many segments it tells apart; 0 where it takes no segment ids.
        position_offset: Position of a sequence's first token.
    """

    segments: int
    position_offset: int

    @classmethod
    def of(cls, model: PreTrainedModel) -> "InputForm":
        """Return that of a model."""
        return cls(num_segments(model), position_offset(model.config))

    def segment_ids(self, token_type_ids: Tensor) -> dict[str, Tensor]:
        """Return the segment ids as an argument, if the model takes any; with one segment all are in it."""
        if self.segments == 0:
            return {}
        return {"token_type_ids": token_type_ids if self.segments > 1 else torch.zeros_like(token_type_ids)}

    def packed(self, tokens: PackedTokens) -> dict[str, Tensor]:
        """Return all tokens as one sequence, (1, T), each with its position in its own."""
        positions = tokens.position_ids
        if self.position_offset:
            positions = positions + self.position_offset
        return {
            "input_ids": tokens.input_ids[None],
            "position_ids": positions[None],
            **self.segment_ids(tokens.token_type_ids[None]),
        }


@contextmanager
def adding_to_embeddings(model: PreTrainedModel, perturbation: Tensor | None) -> Iterator[None]:
    """Add a perturbation to what the embeddings give, after their LayerNorm and dropout.

    Args:
        model: The model.
        perturbation: Of the embeddings' shape; None for nothing.
    """
    if perturbation is None:
        yield
        return
    handle = embeddings_of(model).register_forward_hook(lambda module, inputs, embedded: embedded + perturbation)
    try:
        yield
    finally:
        handle.remove()
