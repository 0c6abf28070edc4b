"""The configuration of a backbone, read from its files or given, and refused where it is not that of an encoder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from transformers import CONFIG_MAPPING, MODEL_MAPPING, PreTrainedConfig, PreTrainedModel
from transformers import __version__ as transformers_version

from backbones.families import COUNTS_FROM_PADDING
from backbones.packages import PACKAGED_MODELS, resolve
from runtime.errors import reason_of
from transformers_internals import find_adapter_config_file

DROPOUTS = (  # what the families call those between their layers and in attention; not those of heads
    *("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout"),
    *("embedding_dropout", "mlp_dropout", "hidden_dropout", "embd_pdrop", "resid_pdrop"),
)
ENCODER_FIELDS = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads")


def load_config(name: str) -> PreTrainedConfig:
    """Load the configuration of a backbone.

    Args:
        name: As for `resolve`.

    Raises:
        ValueError: If there is none, or it is not that of an encoder of text that transformers has.
    """
    location = resolve(name)
    is_folder = Path(location).is_dir()
    if is_folder and not (Path(location) / "config.json").is_file():
        _refuse_adapter(name, location)
        raise ValueError(f"backbone {name}: no config.json in {location}")
    try:
        raw, _ = PreTrainedConfig.get_config_dict(location)
    except (OSError, ValueError) as error:
        hint = (
            "Without a network give a folder with config.json, model.safetensors and tokenizer.json, or "
            f"package:{next(iter(PACKAGED_MODELS))}"
        )
        raise ValueError(
            f"backbone {name}: cannot be loaded ({reason_of(error)}){'' if is_folder else '. ' + hint}"
        ) from error
    _refuse_adapter(name, location)
    try:
        return build_config(raw)
    except ValueError as error:
        raise ValueError(f"backbone {name}: {error}") from None


def _refuse_adapter(name: str, location: str) -> None:
    """Raise a ValueError if there is an adapter, which transformers would build into the model that lies beside it."""
    if find_adapter_config_file(location) is not None:
        raise ValueError(
            f"backbone {name}: is an adapter, by its adapter_config.json "
            "(expected a whole model, with the adapter merged into it)"
        )


def build_config(raw: Mapping[str, Any]) -> PreTrainedConfig:
    """Build the configuration of an encoder from plain data; BERT's where no family is named.

    Raises:
        ValueError: If it is not that of an encoder of text that transformers has.
    """
    if not isinstance(raw, Mapping):
        raise ValueError(f"its configuration is a {type(raw).__name__} (expected a mapping)")
    family = raw.get("model_type", "bert")
    if not isinstance(family, str) or family not in CONFIG_MAPPING:
        code = ", and code that comes with weights is never run" if "auto_map" in raw else ""
        raise ValueError(
            f"is a {family!r} model, which transformers {transformers_version} does not have{code} "
            "(expected one of its own)"
        )
    position = raw.get("position_embedding_type", "absolute")
    if position != "absolute":  # transformers 5 leaves the relative part out without a word
        raise ValueError(f"position embeddings are {position!r} (expected 'absolute')")
    if raw.get("quantization_config") is not None:
        raise ValueError("its weights are quantised (expected weights in float32, bfloat16 or float16)")
    try:
        config: PreTrainedConfig = CONFIG_MAPPING[family](**raw)
    except StrictDataclassError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"its configuration is not that of a {family!r} model ({reason})") from error
    reason = _unlike_encoder(config)
    if reason:
        raise ValueError(reason)
    return config


def _unlike_encoder(config: PreTrainedConfig) -> str:
    """Say why a configuration is not that of an encoder of text; empty if nothing speaks against it."""
    if config.is_encoder_decoder:
        return f"is a {config.model_type!r} model, an encoder with a decoder (expected an encoder alone)"
    if getattr(config, "is_decoder", False) or getattr(config, "add_cross_attention", False):
        # which looks back only, or at another model's states
        return "is a decoder (expected is_decoder and add_cross_attention false)"
    is_encoder = type(config) in MODEL_MAPPING and all(hasattr(config, name) for name in ENCODER_FIELDS)
    if not is_encoder or model_class_of(config).main_input_name != "input_ids":
        return f"is a {config.model_type!r} model (expected an encoder of text)"
    if config.num_hidden_layers < 1:
        return f"num_hidden_layers is {config.num_hidden_layers} (expected 1 or more)"
    if config.model_type in COUNTS_FROM_PADDING and config.pad_token_id is None:
        return "pad_token_id is None (expected the padding token, from which positions count)"
    return ""


def model_class_of(config: PreTrainedConfig) -> type[PreTrainedModel]:
    """Return the class of the encoder without a head; of several the first."""
    found: Any = MODEL_MAPPING[type(config)]
    model_class: type[PreTrainedModel] = found[0] if isinstance(found, tuple) else found
    return model_class


def set_dropout(config: PreTrainedConfig, probability: float) -> None:
    """Give all dropout of an encoder a probability, in place.

    Args:
        config: Its configuration, before it is built.
        probability: Of an element to become 0.

    Raises:
        ValueError: If the family has no dropout.
    """
    names = [name for name in DROPOUTS if isinstance(getattr(config, name, None), int | float)]
    if not names:
        raise ValueError(f"is a {config.model_type!r} model, which has no dropout (expected no backbone_dropout)")
    for name in names:
        setattr(config, name, probability)
