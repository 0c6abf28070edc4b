"""The groups of a test split are checked against the file that is split, also where its tokens are cached."""

import re
from pathlib import Path

import pytest
from transformers import BertTokenizer

from datamodules import TokenStore
from datamodules.encoding import open_split
from tasks import Classification, InputError, Source

ROWS = "".join(f"text {row},{row % 2},a{row % 5}\n" for row in range(20))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "all.csv").write_text(f"text,label,author\n{ROWS}")
    (tmp_path / "test.csv").write_text("text,label,author\nnew,1,b\n")
    return tmp_path


def open_test(root: Path, tokenizer: BertTokenizer, *, group: str | None) -> TokenStore:
    task = Classification(
        source=Source(all="all.csv", test="test.csv", dev_share=0.2, group=group),
        texts=("text",),
        label="label",
        num_classes=2,
    )
    options = {"root": root, "tokenizer": tokenizer, "max_length": 16, "cache_dir": root / "cache"}
    return open_split(task, "test", report=lambda note: None, **options)


def test_a_group_that_comes_into_the_split_file_later_is_found(root: Path, tokenizer: BertTokenizer) -> None:
    before = open_test(root, tokenizer, group="author")
    assert open_test(root, tokenizer, group="author").path == before.path
    with (root / "all.csv").open("a") as file:
        file.write("more,0,b\n")
    with pytest.raises(InputError, match=re.escape(f"author 'b' is in {root}/all.csv, line 22 too")):
        open_test(root, tokenizer, group="author")


def test_without_groups_the_split_file_decides_nothing(root: Path, tokenizer: BertTokenizer) -> None:
    before = open_test(root, tokenizer, group=None)
    (root / "all.csv").unlink()
    assert open_test(root, tokenizer, group=None).path == before.path
