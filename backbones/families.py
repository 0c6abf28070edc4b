"""What there is to know about a family of encoders beside what its modules say themselves."""

import inspect
from typing import Any, Literal

from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from transformers_internals import embeddings_of, takes_attention_function

Way = Literal["own", "interface", "length-groups"]
Pooling = Literal["pooler", "cls", "mean"]
PoolingChoice = Literal["auto", "pooler", "cls", "mean"]

# Embeddings, then layers whose parts are BERT's: backbones/own_forward.py computes them.
BERT_SHAPED = ("bert", "ernie", "roberta", "xlm-roberta", "camembert", "data2vec-text", "electra")
# The same parts, but scores that also depend on the distance of two tokens: backbones/relative_scores.py.
RELATIVE = ("mpnet", "deberta-v2")
# Embeddings read their neighbours, also those in another sequence: packing would be wrong.
READS_NEIGHBOURS = ("mobilebert",)
# Their masks are the smallest float32, also where scores are in half precision (modeling_deberta.py:263).
OVERFLOWS_IN_HALF = ("deberta",)
# The first token's position is the padding token's id + 1, as in fairseq.
COUNTS_FROM_PADDING = (
    "roberta",
    "xlm-roberta",
    "camembert",
    "data2vec-text",
    "xlm-roberta-xl",
    "roberta-prelayernorm",
    "xmod",
    "mpnet",
    "longformer",
    "ibert",
    "luke",
)
EPSILONS = ("layer_norm_eps", "norm_eps", "rms_norm_eps")
SHAPELESS = (
    *("local_attention", "layer_types", "rope_parameters", "rotary_value", "classifier_pooling", "normalization_type"),
    *("position_buckets", "max_relative_positions", "pos_att_type", "num_hidden_layers"),  # layers may share weights
)
POOLED_BY_MEAN = ("eurobert", "nomic_bert")  # by the cards of their published models


def choose_way(model: PreTrainedModel) -> Way:
    """Return how a model is computed without padding, by what its architecture allows.

    A flag alone is not proof: `backbones.parity_probe` compares the numbers.
    """
    family = model.config.model_type
    if family in BERT_SHAPED or has_relative_scores(model.config):
        return "own"
    if takes_attention_function(model) and family not in READS_NEIGHBOURS:
        return "interface"
    return "length-groups"


def has_relative_scores(config: PreTrainedConfig) -> bool:
    """Whether our own forward computes a model with attention scores that depend on distances.

    A DeBERTa with a convolution, which reads neighbours, is left to length groups, as is one without distances.
    """
    if config.model_type == "deberta-v2":
        return bool(config.relative_attention) and not getattr(config, "conv_kernel_size", 0)
    return config.model_type in RELATIVE


def position_offset(config: PreTrainedConfig) -> int:
    """Return the position of a sequence's first token."""
    return int(config.pad_token_id) + 1 if config.model_type in COUNTS_FROM_PADDING else 0


def longest_sequence(config: PreTrainedConfig) -> int | None:
    """Return how many tokens a sequence has at most; None where there is no limit."""
    positions = getattr(config, "max_position_embeddings", None)
    return None if positions is None or positions <= 0 else int(positions) - position_offset(config)


def reach_of_attention(config: PreTrainedConfig) -> int | None:
    """Return how many tokens away local attention sees at most; None where all layers see all."""
    window = getattr(config, "sliding_window", None)
    return int(window) if isinstance(window, int) and window > 0 else None


def num_segments(model: PreTrainedModel) -> int:
    """Return how many segments a model tells apart; 0 where it takes no segment ids."""
    takes_them = "token_type_ids" in inspect.signature(model.forward).parameters
    return int(getattr(model.config, "type_vocab_size", 0)) if takes_them else 0


def head_shape(config: PreTrainedConfig) -> tuple[int, int]:
    """Return number and size of the attention heads."""
    number = int(config.num_attention_heads)
    return number, int(getattr(config, "head_dim", None) or config.hidden_size // number)


def embedding_size(model: PreTrainedModel) -> int:
    """Return the size of what the embeddings give, which some models project to the hidden size."""
    for module in reversed(list(embeddings_of(model).modules())):
        if isinstance(module, nn.LayerNorm):
            return int(module.normalized_shape[-1])
        if isinstance(module, nn.Linear):  # of MobileBERT, whose embeddings end in no LayerNorm
            return module.out_features
    table: Any = model.get_input_embeddings()
    return int(table.weight.shape[1])


def describe(config: PreTrainedConfig) -> dict[str, Any]:
    """Return what the numbers depend on that no shape of a weight shows, as plain data."""
    names = ("hidden_act", "hidden_activation", "activation", "gelu_activation")
    found: dict[str, Any] = {
        "num_attention_heads": config.num_attention_heads,
        "hidden_act": str(next(getattr(config, name) for name in names if hasattr(config, name))),
        "layer_norm_eps": next((getattr(config, name) for name in EPSILONS if hasattr(config, name)), None),
    }
    if config.model_type == "bert":
        return found
    own = {name: getattr(config, name) for name in SHAPELESS if getattr(config, name, None) is not None}
    return {"family": config.model_type, "first_position": position_offset(config), **found, **own}


def default_pooling(config: PreTrainedConfig, *, has_pooler: bool) -> Pooling:
    """Return how sequences become vectors unless the user says otherwise."""
    if has_pooler:
        return "pooler"
    if config.model_type == "modernbert":
        return "mean" if config.classifier_pooling == "mean" else "cls"
    return "mean" if config.model_type in POOLED_BY_MEAN else "cls"


def pooler_reads(config: PreTrainedConfig) -> Literal["cls", "mean"]:
    """Return which vector of a sequence the pooler reads: ModernBERT says so itself, all others read the first."""
    return "mean" if config.model_type == "modernbert" and config.classifier_pooling == "mean" else "cls"


def pooler_dense(model: PreTrainedModel) -> nn.Linear | None:
    """Return the linear layer of a pooler that is one under tanh; None for another one."""
    pooler: Any = model.pooler
    if isinstance(pooler, nn.Linear):
        return pooler
    dense = getattr(pooler, "dense", None)
    return dense if isinstance(dense, nn.Linear) and model.config.model_type != "modernbert" else None


def apply_pooler(model: PreTrainedModel, vectors: Tensor) -> Tensor:
    """Return what the model's own pooler makes of one vector a sequence, (N, H)."""
    pooler: Any = model.pooler
    if isinstance(pooler, nn.Linear):  # ALBERT's, whose activation stands beside it
        activation: Any = model.pooler_activation
        vectors = activation(pooler(vectors))
    elif model.config.model_type == "modernbert":
        vectors = pooler(vectors)
    else:
        vectors = pooler(vectors[:, None])  # which reads the first token of each sequence
    return vectors
