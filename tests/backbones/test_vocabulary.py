import json
import shutil

import pytest

from backbones import load_tokenizer
from backbones.vocabulary import describe_tokenizer


def test_two_ways_to_write_down_a_tokenizer_are_the_same(tiny_backbone, tmp_path):
    described = describe_tokenizer(load_tokenizer(str(tiny_backbone)))
    assert described["tokens"] == "[CLS] unlike this , or 中 文 [SEP]"
    folder = shutil.copytree(tiny_backbone, tmp_path / "copy")
    tokenizer = load_tokenizer(str(tiny_backbone))
    tokenizer("a long text", truncation=True, max_length=4)  # leaves its length behind
    tokenizer.save_pretrained(folder)
    assert describe_tokenizer(tokenizer) == describe_tokenizer(load_tokenizer(str(folder))) == described


@pytest.mark.parametrize(
    "change", [{"do_lower_case": False}, {"strip_accents": False}, {"tokenize_chinese_chars": False}]
)
def test_a_tokenizer_that_splits_otherwise_is_another(change, tiny_backbone, tmp_path):
    folder = shutil.copytree(tiny_backbone, tmp_path / "copy")
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    before, after = (describe_tokenizer(load_tokenizer(str(each))) for each in (tiny_backbone, folder))
    assert before["vocabulary"] == after["vocabulary"]
    assert before["tokens"] != after["tokens"]


def test_another_vocabulary_is_another(tiny_backbone, word_backbone):
    described = [describe_tokenizer(load_tokenizer(str(each)))["vocabulary"] for each in (tiny_backbone, word_backbone)]
    assert described[0] != described[1]
