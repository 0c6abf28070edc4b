"""Tiny tokenizers of each kind, trained on a few sentences: WordPiece, byte-level BPE and SentencePiece."""

import json
from collections.abc import Sequence
from typing import Any

from tokenizers import ByteLevelBPETokenizer, SentencePieceUnigramTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import (
    AlbertTokenizer,
    BertTokenizer,
    DebertaV2Tokenizer,
    MPNetTokenizer,
    PreTrainedTokenizerFast,
    RobertaTokenizer,
    XLMRobertaTokenizer,
)

FAIRSEQ = ["<s>", "<pad>", "</s>", "<unk>"]


def word_pieces(texts: Sequence[str], special: Sequence[str]) -> dict[str, int]:
    """Return a vocabulary of whole words, single characters and pieces that go on with a word."""
    words = dict.fromkeys(
        word for text in texts for word in text.lower().replace(",", " , ").replace(".", " . ").split()
    )
    letters = sorted({letter for word in words for letter in word})
    tokens = [*special, *dict.fromkeys([*list(words)[::2], *letters, *(f"##{letter}" for letter in letters)])]
    return {token: number for number, token in enumerate(tokens)}


def byte_pairs(texts: Sequence[str], special: Sequence[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(
        texts, vocab_size=330, min_frequency=1, special_tokens=list(special), show_progress=False
    )
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]


def sentence_pieces(texts: Sequence[str], special: Sequence[str], unknown: str) -> list[tuple[str, float]]:
    tokenizer = SentencePieceUnigramTokenizer()
    tokenizer.train_from_iterator(
        texts, vocab_size=90, special_tokens=list(special), unk_token=unknown, show_progress=False
    )
    return [(piece, score) for piece, score in json.loads(tokenizer.to_str())["model"]["vocab"]]


def tiny_tokenizer(family: str, texts: Sequence[str]) -> PreTrainedTokenizerFast:
    """Return a tokenizer of the kind that the family's published models have."""
    if family in ("roberta", "data2vec-text"):
        vocabulary, merges = byte_pairs(texts, [*FAIRSEQ, "<mask>"])
        return RobertaTokenizer(vocab=vocabulary, merges=merges)
    if family in ("modernbert", "eurobert"):
        return _byte_level(texts)
    if family in ("xlm-roberta", "camembert", "jina_embeddings_v3", "xlm-roberta-xl"):
        return XLMRobertaTokenizer(vocab=sentence_pieces(texts, [*FAIRSEQ, "<mask>"], "<unk>"))
    if family == "albert":
        return AlbertTokenizer(vocab=sentence_pieces(texts, ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"], "<unk>"))
    if family == "deberta-v2":
        special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
        return DebertaV2Tokenizer(vocab=sentence_pieces(texts, special, "[UNK]"), unk_id=3)
    if family == "mpnet":
        return MPNetTokenizer(vocab=word_pieces(texts, [*FAIRSEQ, "<mask>", "[UNK]"]))
    return BertTokenizer(vocab=word_pieces(texts, ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))


def _byte_level(texts: Sequence[str]) -> PreTrainedTokenizerFast:
    """Return ModernBERT's kind: byte-level BPE between [CLS] and [SEP], no segments."""
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    special["mask_token"] = "[MASK]"
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(
        texts, vocab_size=330, min_frequency=1, special_tokens=list(special.values()), show_progress=False
    )
    backend: Any = tokenizer._tokenizer
    numbers = [(token, backend.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    backend.post_processor = TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", numbers)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, model_input_names=["input_ids", "attention_mask"], **special
    )
