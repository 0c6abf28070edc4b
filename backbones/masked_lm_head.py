"""The masked-LM head of any family: transformers' own layers, with the word embeddings as the decoder."""

import copy
from typing import Any, TypeVar

from torch import Tensor, nn
from torch.nn import functional as F
from transformers import MODEL_FOR_MASKED_LM_MAPPING, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

Config = TypeVar("Config", bound=PreTrainedConfig)
NO_MASKED_LM = ("electra",)  # its published models are discriminators; what guesses tokens is another model


class FamilyMaskedLMHead(nn.Module):
    """What a family's masked-LM model does with last hidden states.

    It is that model with its encoder taken out and its decoder's weight left to the backbone, so that each weight is
    there once. Call it on the states of the tokens to guess only.

    Args:
        model: A masked-LM model of the family, changed in place.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        decoder: Any = model.get_output_embeddings()
        self._tied = _TiedDecoder(decoder.bias)
        model.set_output_embeddings(self._tied)
        self._states = _GivenStates()
        setattr(model, model.base_model_prefix, self._states)
        self.model = model

    def forward(self, hidden: Tensor, word_embeddings: Tensor) -> Tensor:
        """Return the logits of every token of the vocabulary.

        Args:
            hidden: Last hidden states of the tokens to guess, (R, H).
            word_embeddings: The backbone's, (V, E).

        Returns:
            Logits, (R, V).
        """
        self._tied.weights[:] = [word_embeddings]
        self._states.given[:] = [hidden[None]]
        logits: Tensor = self.model(input_ids=hidden.new_zeros(1, hidden.shape[0]).long()).logits[0]
        self._tied.weights.clear()
        self._states.given.clear()
        return logits


class _GivenStates(nn.Module):
    """Stands where the encoder stood, and gives the states that were computed elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Tensor] = []

    def forward(self, *arguments: Any, **keywords: Any) -> BaseModelOutput:
        return BaseModelOutput(last_hidden_state=self.given[0])


class _TiedDecoder(nn.Module):
    """The decoder with a weight that is given at each call; its bias is its own."""

    def __init__(self, bias: nn.Parameter | None) -> None:
        super().__init__()
        self.bias = bias
        self.weights: list[Tensor] = []

    @property
    def weight(self) -> Tensor:
        """The word embeddings, which some models read themselves."""
        return self.weights[0]

    def forward(self, states: Tensor) -> Tensor:
        return F.linear(states, self.weights[0], self.bias)


def masked_lm_class(config: PreTrainedConfig) -> type[PreTrainedModel]:
    """Return the masked-LM model of a family.

    Raises:
        ValueError: If it has none.
    """
    if type(config) not in MODEL_FOR_MASKED_LM_MAPPING or config.model_type in NO_MASKED_LM:
        raise ValueError(f"{config.model_type} models have no masked-LM head to train (expected another family)")
    found: Any = MODEL_FOR_MASKED_LM_MAPPING[type(config)]
    model_class: type[PreTrainedModel] = found
    return model_class


def join_masked_lm(encoder: PreTrainedModel, head: FamilyMaskedLMHead) -> PreTrainedModel:
    """Return transformers' whole model: the encoder, the head, and the decoder tied to the embeddings."""
    model = masked_lm_class(encoder.config)(tie_decoder(encoder.config))
    setattr(model, model.base_model_prefix, encoder)
    model.load_state_dict(head.model.state_dict(), strict=False)
    model.tie_weights()
    return model


def tie_decoder(config: Config) -> Config:
    """Return the configuration with a decoder that is the word embeddings, which `tie_weights` asks it for."""
    tied = copy.deepcopy(config)
    tied.tie_word_embeddings = True
    return tied
