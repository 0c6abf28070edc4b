"""A backbone by name: its configuration, its model, its masked-LM head."""

import inspect
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from transformers import (
    CONFIG_MAPPING,
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    MODEL_MAPPING,
    BertForMaskedLM,
    ModernBertConfig,
    ModernBertForMaskedLM,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers import __version__ as transformers_version
from transformers.utils import logging as transformers_logging

from backbones.families import COUNTS_FROM_PADDING
from backbones.masked_lm_head import FamilyMaskedLMHead, masked_lm_class
from backbones.packages import PACKAGED_MODELS, resolve
from backbones.parity_probe import check_parity
from runtime.errors import reason_of
from transformers_internals import ModernBertPredictionHead, find_adapter_config_file

log = logging.getLogger(__name__)

WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
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
    if is_folder:
        _refuse_adapter(name, location)
    if is_folder and not (Path(location) / "config.json").is_file():
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
    try:
        return _build_config(raw)
    except ValueError as error:
        raise ValueError(f"backbone {name}: {error}") from None


def _refuse_adapter(name: str, location: str) -> None:
    """Raise a ValueError if there is an adapter, which transformers would build into the model that lies beside it."""
    if find_adapter_config_file(location) is not None:
        raise ValueError(
            f"backbone {name}: is an adapter, by its adapter_config.json "
            "(expected a whole model, with the adapter merged into it)"
        )


def _build_config(raw: Mapping[str, Any]) -> PreTrainedConfig:
    """Build the configuration of an encoder from plain data; BERT's where no family is named."""
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


def _from_pretrained(model_class: Any, name: str) -> tuple[Any, Mapping[str, Any]]:
    """Load a model and transformers' report on its keys, without transformers' own messages."""
    location, config = resolve(name), load_config(name)
    _refuse_adapter(name, location)
    files = [*WEIGHT_FILES, *(f"{file}.index.json" for file in WEIGHT_FILES)]
    if Path(location).is_dir() and not any((Path(location) / file).is_file() for file in files):
        raise ValueError(f"backbone {name}: no weights (expected {' or '.join(WEIGHT_FILES)} in {location})")
    transformers_logging.disable_progress_bar()
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        loaded: Any = model_class.from_pretrained(
            location, config=config, dtype=torch.float32, output_loading_info=True, ignore_mismatched_sizes=True
        )
    except Exception as error:  # of the files' formats, of pickle, of a shape that no model has
        raise ValueError(f"backbone {name}: the weights cannot be loaded ({reason_of(error)})") from error
    finally:
        transformers_logging.set_verbosity(verbosity)
    model, report = loaded
    if report["mismatched_keys"]:
        key, found, expected = min(report["mismatched_keys"])
        raise ValueError(f"backbone {name}: {key} has shape {tuple(found)} (expected {tuple(expected)} by config.json)")
    return model, report


def load_encoder(name: str, *, fresh_layers: bool = False) -> PreTrainedModel:
    """Load an encoder with pretrained weights, in float32 and training mode.

    Args:
        name: As for `resolve`.
        fresh_layers: Start layers that the weights lack at random instead of refusing. Without it a model may lack
            its pooler, and then has none.

    Raises:
        ValueError: If the model cannot be loaded, is not an encoder, its weights are damaged, missing or of another
            shape, or it does not give on packed tokens what it gives on padded ones.
    """
    loaded, report = _from_pretrained(model_class_of(load_config(name)), name)
    model: PreTrainedModel = loaded
    missing, unexpected = sorted(report["missing_keys"]), set(report["unexpected_keys"])
    if "classifier.dense.weight" in unexpected and set(missing) == {"pooler.dense.weight", "pooler.dense.bias"}:
        model.get_submodule("pooler").dense = _load_classifier_dense(name)
        log.info("backbone %s: the dense layer of its classifier is its pooler", name)
        missing, unexpected = [], {key for key in unexpected if not key.startswith("classifier.dense.")}
    if missing and all(key.startswith("pooler.") for key in missing) and not fresh_layers:
        model.pooler = None  # type: ignore[assignment]
        log.info("backbone %s has no pooler", name)
    elif missing and not fresh_layers:
        raise ValueError(f"backbone {name}: the weights lack {', '.join(missing[:5])} ({len(missing)} in all)")
    elif missing:
        log.info("backbone %s: started at random: %s", name, ", ".join(missing))
    if model.config.model_type == "modernbert" and "head.dense.weight" in unexpected:
        model.pooler = _load_prediction_head(name)
        unexpected = {key for key in unexpected if not key.startswith("head.")}
    unexpected |= _layers_behind(Path(resolve(name)))
    if unexpected:
        log.info("backbone %s: left out %s", name, ", ".join(sorted(unexpected)))
    try:
        check_parity(model)
    except ValueError as error:
        raise ValueError(f"backbone {name}: {error}") from None
    model.train()  # from_pretrained leaves evaluation mode, which would switch dropout off for the whole training
    return model


def _layers_behind(location: Path) -> set[str]:
    """Return the folders in which sentence-transformers keeps the weights of layers behind the encoder."""
    return {path.parent.name for file in WEIGHT_FILES for path in location.glob(f"[0-9]*_*/{file}")}


def _load_classifier_dense(name: str) -> torch.nn.Module:
    """Load the layer under tanh that RoBERTa's classifier has on the first token, as BERT has in its pooler."""
    classifier, _ = _from_pretrained(MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING[type(load_config(name))], name)
    dense: torch.nn.Module = classifier.classifier.dense
    return dense


def _load_prediction_head(name: str) -> torch.nn.Module:
    """Load the dense layer and LayerNorm that ModernBERT's masked-LM and classifier models share: its pooler."""
    model, _ = _from_pretrained(ModernBertForMaskedLM, name)
    head: torch.nn.Module = model.head
    return head


def load_masked_lm_predictions(name: str) -> dict[str, Any] | None:
    """Load the weights of a backbone's masked-LM head, if it has one.

    Args:
        name: As for `resolve`.

    Returns:
        State of the `cls.predictions` module; None if the weights lack some of it, or its decoder is not the word
        embeddings.
    """
    model, report = _from_pretrained(BertForMaskedLM, name)
    if any(key.startswith(("cls.predictions.transform", "cls.predictions.bias")) for key in report["missing_keys"]):
        return None
    if not torch.equal(model.cls.predictions.decoder.weight, model.bert.embeddings.word_embeddings.weight):
        log.warning("backbone %s: its masked-LM decoder is not tied to the word embeddings, as ours is", name)
        return None
    weights: dict[str, Any] = model.cls.predictions.state_dict()
    return weights


def load_masked_lm_head(name: str) -> FamilyMaskedLMHead | None:
    """Load the masked-LM head of a backbone of any family but BERT, whose head is `heads.masked_lm`.

    Args:
        name: As for `resolve`.

    Returns:
        None if the weights lack some of it, or its decoder is not the word embeddings.

    Raises:
        ValueError: If the family has no such head.
    """
    model, report = _from_pretrained(masked_lm_class(load_config(name)), name)
    if any(not key.startswith(f"{model.base_model_prefix}.") for key in report["missing_keys"]):
        return None
    if not torch.equal(model.get_output_embeddings().weight, model.get_input_embeddings().weight):
        log.warning("backbone %s: its masked-LM decoder is not tied to the word embeddings, as ours is", name)
        return None
    return FamilyMaskedLMHead(model)


def build_encoder(config: Mapping[str, Any], *, with_pooler: bool = True) -> PreTrainedModel:
    """Build an encoder of a given shape with random weights, in training mode.

    Args:
        config: Fields of the family's configuration, `model_type` among them; of `transformers.BertConfig` without it.
        with_pooler: Whether it has a pooler, if its family has one.

    Raises:
        ValueError: If it is not an encoder's.
    """
    try:
        shape = _build_config(config)
    except ValueError as error:
        raise ValueError(f"backbone_config: {error}") from None
    model_class = model_class_of(shape)
    has_one = "add_pooling_layer" in inspect.signature(model_class.__init__).parameters
    try:
        model = model_class(shape, **({"add_pooling_layer": with_pooler} if has_one else {}))
    except Exception as error:  # of sizes or an activation that its layers refuse
        raise ValueError(f"backbone_config: no model can be built of it ({reason_of(error)})") from error
    if isinstance(shape, ModernBertConfig) and with_pooler:
        model.pooler = ModernBertPredictionHead(shape)
    model.train()
    return model
