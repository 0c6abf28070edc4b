"""The head of masked language modelling."""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F
from transformers import BertConfig

from transformers_internals import BertPredictionHeadTransform


class MaskedLMHead(nn.Module):
    """BERT's: a transform, then the word embeddings as the decoder (tied), with a bias for each token.

    Call it on the states of the tokens to guess only: the logits of all T tokens would be (T, V).

    Args:
        config: Shape of the backbone.

    Source: Devlin et al. 2019, https://arxiv.org/abs/1810.04805
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.transform = BertPredictionHeadTransform(config)
        for module in self.transform.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=config.initializer_range)
                nn.init.zeros_(module.bias)
        self.bias = nn.Parameter(self.transform.dense.weight.new_zeros(config.vocab_size))

    def forward(self, hidden: Tensor, word_embeddings: Tensor) -> Tensor:
        """Return the logits of every token of the vocabulary.

        Args:
            hidden: Last hidden states of the tokens to guess, (R, H).
            word_embeddings: The backbone's, (V, H).

        Returns:
            Logits, (R, V).
        """
        return F.linear(self.transform(hidden), word_embeddings, self.bias)

    def load_predictions(self, weights: dict[str, Any]) -> None:
        """Take the weights of a Hugging Face `cls.predictions` module; the decoder is tied."""
        self.load_state_dict({name: tensor for name, tensor in weights.items() if not name.startswith("decoder.")})
