"""transformers' sequence classifier of a family, with the weights of a backbone and of a linear head."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from transformers import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING, PreTrainedConfig, PreTrainedModel

# What stands between the last states and the classes is what the backbone has as its pooler: a part of the encoder, a
# dense layer of the classifier, or a head before it. All other families have layers there that no pooling of ours has.
POOLER_IN_ENCODER = ("bert", "ernie", "albert", "mobilebert", "gte", "nomic_bert")
POOLER_IN_CLASSIFIER = (
    "roberta",
    "xlm-roberta",
    "camembert",
    "data2vec-text",
    "mpnet",
    "xlm-roberta-xl",
    "jina_embeddings_v3",
)
POOLER_IS_HEAD = ("modernbert",)
# What pipeline and CrossEncoder make of the logits of a classifier that the backbone was before.
OF_ANOTHER_HEAD = ("problem_type", "function_to_apply", "sentence_transformers", "sbert_ce_default_activation_function")


def class_name(config: PreTrainedConfig) -> str:
    """Return the name of the family's classifier, such as BertForSequenceClassification."""
    found: Any = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING[type(config)]
    return str(found.__name__)


def why_not_this_family(config: PreTrainedConfig) -> str | None:
    """Say why the family's classifier cannot hold a backbone with a linear head; None if it can."""
    if config.model_type in (*POOLER_IN_ENCODER, *POOLER_IN_CLASSIFIER, *POOLER_IS_HEAD):
        return None
    if type(config) not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        return f"transformers has no classifier of {config.model_type} models (--format onnx has it)"
    name = class_name(config)
    return f"{name} has layers of its own between the states and the classes (--format onnx does without)"


def join_classifier(
    encoder: PreTrainedModel, readout: Mapping[str, Tensor], options: Mapping[str, Any]
) -> PreTrainedModel:
    """Build the classifier, in evaluation mode.

    Args:
        encoder: The backbone's model, with a pooler.
        readout: `weight` and `bias` of the linear head.
        options: Of its configuration: the labels.
    """
    family = encoder.config.model_type
    kept = {name: value for name, value in encoder.config.to_diff_dict().items() if name not in OF_ANOTHER_HEAD}
    config = type(encoder.config)(**{**kept, **options})
    model_class: Any = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING[type(config)]
    model: Any = model_class(config)
    weights, pooler = encoder.state_dict(), encoder.get_submodule("pooler")
    linear: nn.Module = model.classifier
    if family not in POOLER_IN_ENCODER:
        weights = {name: weight for name, weight in weights.items() if not name.startswith("pooler.")}
    if family in POOLER_IN_CLASSIFIER:
        model.classifier.dense.load_state_dict(pooler.get_submodule("dense").state_dict())
        linear = model.classifier.out_proj
    elif family in POOLER_IS_HEAD:
        model.head.load_state_dict(pooler.state_dict())
    getattr(model, model.base_model_prefix).load_state_dict(weights)
    linear.load_state_dict(dict(readout))
    joined: PreTrainedModel = model.eval()
    return joined
