"""Pairs, segments and words as each kind of tokenizer has them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import BertTokenizer, PreTrainedTokenizerFast

from backbones import load_tokenizer
from datamodules.encoding import encode, find_continuations
from datamodules.masking import Masking, TokenMasker
from datamodules.pairs import PairTemplate, lay_out, swap_sides

TEMPLATES = {
    "bert": PairTemplate(1, 1, 1, 1),
    "roberta": PairTemplate(1, 2, 1, 0),
    "modernbert": PairTemplate(1, 1, 1, 0),
    "xlm-roberta": PairTemplate(1, 2, 1, 0),
    "albert": PairTemplate(1, 1, 1, 1),  # trained with segments, which transformers 5 leaves out unless asked
    "deberta-v2": PairTemplate(1, 1, 1, 1),
    "mpnet": PairTemplate(1, 2, 1, 0),
}
FIRST, SECOND = "how can i learn to play chess", "a slow dog"


@pytest.fixture
def tokenizer_of(backbone_of: Callable[..., Path]) -> Callable[[str], PreTrainedTokenizerFast]:
    return lambda family: load_tokenizer(str(backbone_of(family)))


@pytest.mark.parametrize("family", TEMPLATES)
def test_the_template_is_that_of_the_tokenizer(family, tokenizer_of):
    assert PairTemplate.of(tokenizer_of(family)) == TEMPLATES[family]


@pytest.mark.parametrize("family", TEMPLATES)
def test_swapped_pairs_are_what_the_tokenizer_makes_of_the_texts(family, tokenizer_of):
    tokenizer = tokenizer_of(family)
    template = PairTemplate.of(tokenizer)
    (pair,) = encode([(FIRST, SECOND)], encoding="cross", tokenizer=tokenizer, max_length=200)
    tokens = np.array(pair.input_ids, dtype=np.int32)

    swapped, first = swap_sides(tokens, pair.first_length, "cross", template)
    assert swapped.tolist() == tokenizer(SECOND, FIRST).input_ids
    assert first == encode([(SECOND, FIRST)], encoding="cross", tokenizer=tokenizer, max_length=200)[0].first_length
    layout = lay_out([tokens], np.array([pair.first_length]), "cross", template)
    expected = tokenizer(FIRST, SECOND).get("token_type_ids", [0] * len(tokens))
    assert layout.token_type_ids.tolist() == expected


@pytest.mark.parametrize("family", TEMPLATES)
def test_a_second_text_without_tokens_begins_before_the_last_special_ones(family, tokenizer_of):
    tokenizer = tokenizer_of(family)
    (pair,) = encode([(FIRST, " ")], encoding="cross", tokenizer=tokenizer, max_length=200)
    rest = len(tokenizer(" ", add_special_tokens=False).input_ids)  # a byte-level tokenizer has one for the space
    assert pair.first_length == len(pair.input_ids) - 1 - rest


def test_special_tokens_that_differ_around_one_text_are_refused(tokenizer):
    from tokenizers.processors import TemplateProcessing

    odd = BertTokenizer.from_pretrained(Path(tokenizer.name_or_path))
    numbers = [("[CLS]", 101), ("[SEP]", 102)]
    odd.backend_tokenizer.post_processor = TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1", numbers)
    with pytest.raises(ValueError, match=r"makes \[CLS\] a \[SEP\] of a text and \[CLS\] a \[SEP\] b of a pair"):
        PairTemplate.of(odd)


@pytest.mark.parametrize(
    ("family", "words"),
    [
        ("bert", ["the", "unbelievable", "film", ",", "ok"]),
        ("roberta", ["the", "Ġunbelievable", "Ġfilm", ",", "Ġok"]),  # punctuation is a word of its own
        ("modernbert", ["the", "Ġunbelievable", "Ġfilm", ",", "Ġok"]),
        ("albert", ["▁the", "▁unbelievable", "▁film,", "▁ok"]),
    ],
)
def test_words_are_those_of_the_tokenizer(family, words, tokenizer_of):
    encoded = tokenizer_of(family)(["the unbelievable film, ok"]).encodings[0]
    found: list[str] = []
    for token, continues in zip(encoded.tokens, find_continuations(encoded), strict=True):
        if continues:
            found[-1] += token.removeprefix("##")
        else:
            found.append(token)
    assert [word for word in found[1:-1] if word != "[UNK]"] == [word for word in words if word in found]
    assert len(found) == len(words) + 2


def test_words_of_bert_are_those_that_its_pieces_tell(tokenizer):
    texts = ["Tokenization of unaffable words, isn't it?", "naïve 中文 ##ing snowboarding 3.14", "[MASK] the ☃ film"]
    for encoded in tokenizer(texts, ["a second, forgettable text"] * 3).encodings:
        assert find_continuations(encoded) == [int(token.startswith("##")) for token in encoded.tokens]


def test_a_tokenizer_without_mask_token_cannot_mask(tokenizer):
    plain: Any = BertTokenizer.from_pretrained(Path(tokenizer.name_or_path))
    plain.mask_token = None
    with pytest.raises(ValueError, match="the tokenizer has no mask token"):
        TokenMasker(plain, Masking(), seed=0)
