"""A backbone by name: its model, its tokenizer, its masked-LM head."""

import logging
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import BertConfig, BertForMaskedLM, BertModel, BertTokenizer
from transformers.utils import logging as transformers_logging

from backbones.packages import PACKAGED_MODELS, resolve

log = logging.getLogger(__name__)

WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
CASED_SHARE = 0.01  # of the tokens; a lower-cased vocabulary has a stray one at most, a cased one a third


def load_tokenizer(name: str, *, special_tokens_as_text: bool = False) -> BertTokenizer:
    """Load the tokenizer that belongs to a backbone; warn if it lower-cases although its vocabulary is a cased one.

    Args:
        name: As for `resolve`.
        special_tokens_as_text: Read `[SEP]`, `[MASK]` and the like in a text as the letters they are, not as tokens.

    Raises:
        ValueError: If there is none, or its vocabulary does not fit the model. (transformers 5 makes up a tokenizer of
            five tokens where it finds none, without a word.)
    """
    location = resolve(name)
    config = _load_config(name, location)
    if Path(location).is_dir() and not any(
        (Path(location) / file).is_file() for file in ("tokenizer.json", "vocab.txt")
    ):
        raise ValueError(f"backbone {name}: no tokenizer (expected tokenizer.json or vocab.txt in {location})")
    tokenizer: BertTokenizer = BertTokenizer.from_pretrained(location)
    if not len(set(tokenizer.all_special_ids)) < len(tokenizer) <= config.vocab_size:
        raise ValueError(
            f"backbone {name}: the tokenizer has {len(tokenizer)} tokens, the model {config.vocab_size} "
            f"(expected a vocabulary that belongs to the model)"
        )
    tokenizer.model_max_length = min(tokenizer.model_max_length, config.max_position_embeddings)
    tokenizer.split_special_tokens = special_tokens_as_text
    unreachable = _count_capitals(tokenizer)
    if unreachable > CASED_SHARE * len(tokenizer):
        log.warning(
            "backbone %s: the tokenizer lower-cases, but %d of its %d tokens have capitals, which no text becomes "
            '(a cased model needs a tokenizer_config.json with {"do_lower_case": false})',
            name,
            unreachable,
            len(tokenizer),
        )
    return tokenizer


def _count_capitals(tokenizer: BertTokenizer) -> int:
    """Count the tokens with capitals of a tokenizer that lower-cases; 0 of another."""
    normalizer = tokenizer.backend_tokenizer.normalizer
    if normalizer is None or normalizer.normalize_str("A") != "a":
        return 0
    return sum(token != token.lower() for token in tokenizer.get_vocab().keys() - set(tokenizer.all_special_tokens))


def _load_config(name: str, location: str) -> BertConfig:
    is_folder = Path(location).is_dir()
    if is_folder and not (Path(location) / "config.json").is_file():
        raise ValueError(f"backbone {name}: no config.json in {location}")
    try:
        raw, _ = BertConfig.get_config_dict(location)
    except (OSError, ValueError) as error:
        hint = (
            "Without a network give a folder with config.json, model.safetensors and tokenizer.json, or "
            f"package:{next(iter(PACKAGED_MODELS))}"
        )
        raise ValueError(
            f"backbone {name}: cannot be loaded ({str(error).splitlines()[0]}){'' if is_folder else '. ' + hint}"
        ) from error
    if raw.get("model_type") != "bert":
        raise ValueError(f"backbone {name}: is a {raw.get('model_type')!r} model (expected 'bert')")
    position = raw.get("position_embedding_type", "absolute")
    if position != "absolute":  # transformers 5 leaves the relative part out without a word
        raise ValueError(f"backbone {name}: position embeddings are {position!r} (expected 'absolute')")
    config = BertConfig(**raw)
    reason = _unlike_encoder(config)
    if reason:
        raise ValueError(f"backbone {name}: {reason}")
    return config


def _unlike_encoder(config: BertConfig) -> str:
    """Say why a configuration is not that of a BERT encoder; empty if it is."""
    if config.is_decoder or config.add_cross_attention:  # which looks back only, or at another model's states
        return "is a decoder (expected is_decoder and add_cross_attention false)"
    if config.num_hidden_layers < 1:
        return f"num_hidden_layers is {config.num_hidden_layers} (expected 1 or more)"
    return ""


def _from_pretrained(model_class: type[BertModel | BertForMaskedLM], name: str) -> tuple[Any, Mapping[str, Any]]:
    """Load a model and transformers' report on its keys, without transformers' own messages."""
    location = resolve(name)
    config = _load_config(name, location)
    if Path(location).is_dir() and not any((Path(location) / file).is_file() for file in WEIGHT_FILES):
        raise ValueError(f"backbone {name}: no weights (expected {' or '.join(WEIGHT_FILES)} in {location})")
    transformers_logging.disable_progress_bar()
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        model, report = model_class.from_pretrained(
            location, config=config, dtype=torch.float32, output_loading_info=True, ignore_mismatched_sizes=True
        )
    except (OSError, RuntimeError, ValueError, SafetensorError, UnpicklingError) as error:
        raise ValueError(f"backbone {name}: the weights cannot be loaded ({str(error).splitlines()[0]})") from error
    finally:
        transformers_logging.set_verbosity(verbosity)
    if report["mismatched_keys"]:
        key, found, expected = min(report["mismatched_keys"])
        raise ValueError(f"backbone {name}: {key} has shape {tuple(found)} (expected {tuple(expected)} by config.json)")
    return model, report


def load_bert(name: str, *, fresh_layers: bool = False) -> BertModel:
    """Load a BERT with pretrained weights, in float32 and training mode.

    Args:
        name: As for `resolve`.
        fresh_layers: Start layers that the weights lack at random instead of refusing. Without it a model may lack
            its pooler, and then has none.

    Raises:
        ValueError: If the model cannot be loaded, is not a BERT model, or its weights are damaged, missing or of
            another shape.
    """
    bert: BertModel
    bert, report = _from_pretrained(BertModel, name)
    missing = sorted(report["missing_keys"])
    if missing and all(key.startswith("pooler.") for key in missing) and not fresh_layers:
        bert.pooler = None
        log.info("backbone %s has no pooler", name)
    elif missing and not fresh_layers:
        raise ValueError(f"backbone {name}: the weights lack {', '.join(missing[:5])} ({len(missing)} in all)")
    elif missing:
        log.info("backbone %s: started at random: %s", name, ", ".join(missing))
    if report["unexpected_keys"]:
        log.info("backbone %s: left out %s", name, ", ".join(sorted(report["unexpected_keys"])))
    bert.train()  # from_pretrained leaves evaluation mode, which would switch dropout off for the whole training
    return bert


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


def build_bert(config: Mapping[str, Any], *, with_pooler: bool = True) -> BertModel:
    """Build a BERT of a given shape with random weights, in training mode.

    Args:
        config: Fields of `transformers.BertConfig`.
        with_pooler: Whether it has BERT's pooler.

    Raises:
        ValueError: If it is not an encoder's.
    """
    shape = BertConfig(**config)
    reason = _unlike_encoder(shape)
    if reason:
        raise ValueError(f"backbone_config: {reason}")
    bert: BertModel = BertModel(shape, add_pooling_layer=with_pooler)
    bert.train()
    return bert
