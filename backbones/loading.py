"""A backbone by name, or of a given shape: its model, its masked-LM head."""

import inspect
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import (
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    BertForMaskedLM,
    ModernBertConfig,
    ModernBertForMaskedLM,
    PreTrainedConfig,
    PreTrainedModel,
)

from backbones.configuration import build_config, load_config, model_class_of, set_dropout
from backbones.masked_lm_head import FamilyMaskedLMHead, masked_lm_class
from backbones.packages import WEIGHT_FILES, resolve
from backbones.parity_probe import check_parity
from backbones.sentence_transformers_files import find_layers_behind
from runtime.errors import reason_of
from runtime.messages import quiet_transformers
from transformers_internals import ModernBertPredictionHead

log = logging.getLogger(__name__)


def _from_pretrained(
    model_class: Any, name: str, config: PreTrainedConfig | None = None
) -> tuple[Any, Mapping[str, Any]]:
    """Load a model and transformers' report on its keys, without transformers' own messages."""
    location, config = resolve(name), config or load_config(name)
    files = [*WEIGHT_FILES, *(f"{file}.index.json" for file in WEIGHT_FILES)]
    if Path(location).is_dir() and not any((Path(location) / file).is_file() for file in files):
        raise ValueError(f"backbone {name}: no weights (expected {' or '.join(WEIGHT_FILES)} in {location})")
    try:
        with quiet_transformers():
            loaded: Any = model_class.from_pretrained(
                location, config=config, dtype=torch.float32, output_loading_info=True, ignore_mismatched_sizes=True
            )
    except Exception as error:  # of the files' formats, of pickle, of a shape that no model has
        raise ValueError(f"backbone {name}: the weights cannot be loaded ({reason_of(error)})") from error
    model, report = loaded
    if report["mismatched_keys"]:
        key, found, expected = min(report["mismatched_keys"])
        raise ValueError(f"backbone {name}: {key} has shape {tuple(found)} (expected {tuple(expected)} by config.json)")
    return model, report


def load_encoder(name: str, *, fresh_layers: bool = False, dropout: float | None = None) -> PreTrainedModel:
    """Load an encoder with pretrained weights, in float32 and training mode.

    Args:
        name: As for `resolve`.
        fresh_layers: Start layers that the weights lack at random instead of refusing. Without it a model may lack
            its pooler, and then has none.
        dropout: Probability of all its dropout; None for what its files say.

    Raises:
        ValueError: If the model cannot be loaded, is not an encoder, its weights are damaged, missing or of another
            shape, or it does not give on packed tokens what it gives on padded ones.
    """
    config = load_config(name)
    if dropout is not None:
        try:
            set_dropout(config, dropout)
        except ValueError as error:
            raise ValueError(f"backbone {name}: {error}") from None
    loaded, report = _from_pretrained(model_class_of(config), name, config)
    model: PreTrainedModel = loaded
    missing, unexpected = set(report["missing_keys"]), set(report["unexpected_keys"])
    _refuse_foreign(model, name, missing, unexpected)
    missing, unexpected = _take_pooler_of_head(model, name, missing, unexpected)
    _settle_missing(model, name, sorted(missing), fresh_layers=fresh_layers)
    unexpected |= find_layers_behind(Path(resolve(name)))
    if unexpected:
        log.info("backbone %s: left out %s", name, ", ".join(sorted(unexpected)))
    try:
        check_parity(model)
    except ValueError as error:
        raise ValueError(f"backbone {name}: {error}") from None
    model.train()  # from_pretrained leaves evaluation mode, which would switch dropout off for the whole training
    return model


def _refuse_foreign(model: PreTrainedModel, name: str, missing: set[str], unexpected: set[str]) -> None:
    """Raise a ValueError if nothing of the weights was taken: what would train is a model without pretraining."""
    expected = {key for key, _ in model.named_parameters()}
    if expected <= missing:
        found, wanted = (", ".join(sorted(keys)[:3]) or "none" for keys in (unexpected, expected))
        raise ValueError(
            f"backbone {name}: none of its weights is one of the model in config.json (found {found}; expected "
            f"{wanted}, …)"
        )


def _take_pooler_of_head(
    model: PreTrainedModel, name: str, missing: set[str], unexpected: set[str]
) -> tuple[set[str], set[str]]:
    """Give the model the pooler that its weights have in a head; return what is still missing, and unexpected."""
    if "classifier.dense.weight" in unexpected and missing == {"pooler.dense.weight", "pooler.dense.bias"}:
        model.get_submodule("pooler").dense = _load_classifier_dense(name)
        log.info("backbone %s: the dense layer of its classifier is its pooler", name)
        return set(), {key for key in unexpected if not key.startswith("classifier.dense.")}
    if model.config.model_type == "modernbert" and "head.dense.weight" in unexpected:
        model.pooler = _load_prediction_head(name)
        return missing, {key for key in unexpected if not key.startswith("head.")}
    return missing, unexpected


def _settle_missing(model: PreTrainedModel, name: str, missing: Sequence[str], *, fresh_layers: bool) -> None:
    """Leave the pooler out, or layers as they started, where the weights lack them; else raise a ValueError."""
    if fresh_layers and missing:
        log.info("backbone %s: started at random: %s", name, ", ".join(missing))
    elif missing and all(key.startswith("pooler.") for key in missing):
        model.pooler = None  # type: ignore[assignment]
        log.info("backbone %s has no pooler", name)
    elif missing:
        raise ValueError(f"backbone {name}: the weights lack {', '.join(missing[:5])} ({len(missing)} in all)")


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


def build_encoder(
    config: Mapping[str, Any], *, with_pooler: bool = True, dropout: float | None = None
) -> PreTrainedModel:
    """Build an encoder of a given shape with random weights, in training mode.

    Args:
        config: Fields of the family's configuration, `model_type` among them; of `transformers.BertConfig` without it.
        with_pooler: Whether it has a pooler, if its family has one.
        dropout: As for `load_encoder`.

    Raises:
        ValueError: If it is not an encoder's.
    """
    try:
        shape = build_config(config)
        if dropout is not None:
            set_dropout(shape, dropout)
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
