"""The tokenizer that belongs to a backbone."""

import logging
from pathlib import Path

from transformers import AutoTokenizer, PreTrainedConfig, PreTrainedTokenizerFast

from backbones.configuration import load_config
from backbones.families import longest_sequence
from backbones.packages import resolve
from runtime.errors import reason_of

log = logging.getLogger(__name__)

TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "spm.model", "sentencepiece.bpe.model")
CASED_SHARE = 0.01  # of the tokens; a lower-cased vocabulary has a stray one at most, a cased one a third


def load_tokenizer(name: str, *, special_tokens_as_text: bool = False) -> PreTrainedTokenizerFast:
    """Load the tokenizer that belongs to a backbone; warn if it lower-cases although its vocabulary is a cased one.

    Args:
        name: As for `resolve`.
        special_tokens_as_text: Read `[SEP]`, `[MASK]` and the like in a text as the letters they are, not as tokens.

    Raises:
        ValueError: If there is none, or its vocabulary does not fit the model. (transformers 5 makes up a tokenizer of
            five tokens where it finds none, without a word.)
    """
    location, config = resolve(name), load_config(name)
    if Path(location).is_dir() and not any((Path(location) / file).is_file() for file in TOKENIZER_FILES):
        raise ValueError(f"backbone {name}: no tokenizer (expected tokenizer.json or vocab.txt in {location})")
    try:
        tokenizer = AutoTokenizer.from_pretrained(location, trust_remote_code=False)
    except Exception as error:  # the tokenizers library raises no other class
        raise ValueError(f"backbone {name}: its tokenizer cannot be loaded ({reason_of(error)})") from error
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise ValueError(
            f"backbone {name}: its tokenizer {type(tokenizer).__name__} is written in Python (expected one of the "
            "tokenizers library, as a tokenizer.json gives)"
        )
    if not len(set(tokenizer.all_special_ids)) < len(tokenizer) <= config.vocab_size:
        raise ValueError(
            f"backbone {name}: the tokenizer has {len(tokenizer)} tokens, the model {config.vocab_size} "
            f"(expected a vocabulary that belongs to the model)"
        )
    _check_start(name, tokenizer)
    _mark_segments(tokenizer, config)
    longest = longest_sequence(config)
    if longest is not None:
        tokenizer.model_max_length = min(tokenizer.model_max_length, longest)
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


def _check_start(name: str, tokenizer: PreTrainedTokenizerFast) -> None:
    """Raise a ValueError if the token whose state stands for the whole sequence is not the first, or is not there."""
    try:
        tokens = tokenizer(["a", "\N{ROCKET}"]).encodings[0].tokens  # the second is in few vocabularies
    except Exception as error:  # of the tokenizers library, where a vocabulary lacks the token of unknown words
        raise ValueError(f"backbone {name}: its tokenizer cannot read a text ({reason_of(error)})") from error
    if tokenizer.cls_token is not None and tokens[:1] != [tokenizer.cls_token]:
        raise ValueError(
            f"backbone {name}: the tokenizer makes {' '.join(tokens)} of a text (expected {tokenizer.cls_token} first)"
        )


def _mark_segments(tokenizer: PreTrainedTokenizerFast, config: PreTrainedConfig) -> None:
    """Let the tokenizer give segment ids where its pairs have two and the model tells them apart.

    transformers 5 leaves them out for ALBERT, which was trained with them; it saves what `init_kwargs` names, so that a
    tokenizer that is written down marks them too.
    """
    pair = tokenizer(["a"], ["b"]).encodings[0]
    has_two = getattr(config, "type_vocab_size", 0) > 1 and 1 in pair.type_ids
    if has_two and "token_type_ids" not in tokenizer.model_input_names:
        tokenizer.model_input_names = [*tokenizer.model_input_names, "token_type_ids"]
        tokenizer.init_kwargs["model_input_names"] = tokenizer.model_input_names


def _count_capitals(tokenizer: PreTrainedTokenizerFast) -> int:
    """Count the tokens with capitals of a tokenizer that lower-cases; 0 of another."""
    normalizer = tokenizer.backend_tokenizer.normalizer
    if normalizer is None or normalizer.normalize_str("A") != "a":
        return 0
    return sum(token != token.lower() for token in tokenizer.get_vocab().keys() - set(tokenizer.all_special_tokens))
