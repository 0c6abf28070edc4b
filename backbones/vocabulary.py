"""What a tokenizer makes of a text, as plain data."""

import hashlib
import json
from typing import Any

from transformers import PreTrainedTokenizerFast

PROBE = "Ünlike THIS, or 中文"  # shows lower-casing, accents, punctuation and Chinese characters


def describe_tokenizer(tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    """Return what the numbers of a model that reads its tokens depend on.

    Two tokenizers of one description may differ in how they are written down, as those of two versions of a library do,
    and in how they read special tokens in a text.

    Args:
        tokenizer: A fast tokenizer.
    """
    vocabulary = sorted(tokenizer.get_vocab().items())
    return {
        "vocabulary": hashlib.sha256(json.dumps(vocabulary).encode()).hexdigest()[:16],
        "tokens": " ".join(tokenizer.convert_ids_to_tokens(tokenizer(PROBE)["input_ids"])),
    }
