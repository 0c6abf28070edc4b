"""What makes two tokenised files the same: equal sources, settings and tokenizers."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerFast

FORMAT = 5  # raise when the same settings give other rows or columns


def cache_key(source: Mapping[str, str], tokenizer: PreTrainedTokenizerFast, max_length: int, **settings: Any) -> str:
    """Return the name of a tokenised file.

    Args:
        source: As `Source.describe` returns it.
        tokenizer: The tokenizer.
        max_length: Tokens per sequence at most.
        settings: All else that decides which rows there are and what they hold.
    """
    parts = {
        "format": FORMAT,
        "source": [source["sha256"], Path(source["path"]).suffix.lower()],  # the ending decides how the bytes are read
        "tokenizer": _digest_tokenizer(tokenizer),
        "max_length": max_length,
        **settings,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _digest_tokenizer(tokenizer: PreTrainedTokenizerFast) -> str:
    """SHA-256 of everything that decides how a tokenizer works."""
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()  # left behind by the latest call, no part of what the tokenizer is; each call sets its own
    backend.no_padding()
    settings = f"{tokenizer.truncation_side} {tokenizer.split_special_tokens} {backend.to_str()}"
    return hashlib.sha256(settings.encode()).hexdigest()
