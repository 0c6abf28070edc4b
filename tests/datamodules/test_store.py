import math
import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from torch.utils.data import DataLoader, Dataset
from transformers import BertTokenizer

from datamodules import TokenStore, encoding
from datamodules.encoding import write_store
from tasks import Example, Sst

IDS = ["0", "ünï-çødé", "日本語", "😀", "a b\tc", "", "last"]
LABELS = [1, None, 0, 4, None, 2, 3]
TEXTS = ["the cat", "good", "a very slow film", "bad", "the dog is not good", "chess", "home"]


class Rows(Dataset[tuple[str, list[int], float]]):
    """Reads a store in a worker."""

    def __init__(self, store: TokenStore) -> None:
        self.store = store

    def __len__(self) -> int:
        return len(self.store)

    def __getitem__(self, row: int) -> tuple[str, list[int], float]:
        return self.store.id(row), self.store.tokens(row).tolist(), float(self.store.labels[row])


def write(folder: Path, tokenizer: BertTokenizer, examples: Sequence[Example]) -> TokenStore:
    target = folder / "store.arrow"
    write_store(examples, target, encoding="single", tokenizer=tokenizer, max_length=16, notes=[])
    return TokenStore(target, task=Sst(), source={"path": "somewhere.csv", "sha256": "12"})


@pytest.fixture(params=[1, 2, 3, 7, 4096])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, tokenizer: BertTokenizer, monkeypatch: pytest.MonkeyPatch
) -> TokenStore:
    """Seven rows in chunks of 1, 2, 3, 7 and 4096."""
    monkeypatch.setattr(encoding, "ROWS_A_CHUNK", request.param)
    rows = zip(IDS, TEXTS, LABELS, strict=True)
    return write(tmp_path, tokenizer, [Example(name, (text,), label) for name, text, label in rows])


def test_every_row_reads_back_whatever_the_chunks(store: TokenStore, tokenizer: BertTokenizer) -> None:
    expected = tokenizer(TEXTS).input_ids

    assert len(store) == 7
    assert [store.tokens(row).tolist() for row in range(7)] == expected
    assert [store.id(row) for row in range(7)] == IDS
    assert store.lengths.tolist() == store.first_lengths.tolist() == [len(ids) for ids in expected]
    assert store.lengths.dtype == store.first_lengths.dtype == np.int64


def test_a_large_file_reads_back_page_by_page(store: TokenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datamodules.store.READ_AHEAD_BELOW", 0)
    again = pickle.loads(pickle.dumps(store))
    assert [again.tokens(row).tolist() for row in range(len(store))] == [
        store.tokens(row).tolist() for row in range(len(store))
    ]


def test_a_missing_label_is_nan_and_the_split_not_labelled(store: TokenStore) -> None:
    assert [None if math.isnan(label) else int(label) for label in store.labels] == LABELS
    assert store.labels.dtype == np.float64
    assert not store.is_labelled


def test_a_store_survives_pickling_as_a_path(store: TokenStore) -> None:
    assert len(store.lengths) == 7
    pickled = pickle.dumps(store)
    copy = pickle.loads(pickled)

    assert store.tokens(2).tobytes() not in pickled
    assert [copy.tokens(row).tolist() for row in range(7)] == [store.tokens(row).tolist() for row in range(7)]
    assert np.array_equal(copy.labels, store.labels, equal_nan=True)
    assert (copy.task, copy.source, copy.notes) == (store.task, store.source, store.notes)


def test_a_worker_process_reads_the_same_rows(tmp_path: Path, tokenizer: BertTokenizer) -> None:
    store = write(tmp_path, tokenizer, [Example(str(row), (text,), row) for row, text in enumerate(TEXTS)])

    loaded = [tuple(row) for row in DataLoader(Rows(store), batch_size=None, num_workers=1)]

    assert loaded == [Rows(store)[row] for row in range(7)]


@pytest.mark.parametrize(("labels", "expected"), [([0, 2], True), ([0, None], False), ([None, None], False)])
def test_a_split_is_labelled_where_all_rows_are(
    tmp_path: Path, tokenizer: BertTokenizer, labels: list[int | None], expected: bool
) -> None:
    examples = [Example(str(row), ("good",), label) for row, label in enumerate(labels)]

    assert write(tmp_path, tokenizer, examples).is_labelled == expected


def test_a_store_without_rows_is_empty_and_unlabelled(tmp_path: Path, tokenizer: BertTokenizer) -> None:
    store = write(tmp_path, tokenizer, [])

    assert len(store) == 0
    assert not store.is_labelled
    assert store.lengths.shape == store.first_lengths.shape == store.labels.shape == (0,)


def test_a_score_keeps_its_decimals(tmp_path: Path, tokenizer: BertTokenizer) -> None:
    assert write(tmp_path, tokenizer, [Example("a", ("good",), 3.8)]).labels.tolist() == [3.8]
