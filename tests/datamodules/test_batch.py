from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from transformers import BertTokenizer

from backbones import Backbone, load_encoder
from datamodules import BatchRows, TaskDataset, TokenStore, collate, encoding
from datamodules.encoding import open_split, write_store
from tasks import Example, Quora, Split, Sst, Sts, Task

ROWS = np.array([7, 0, 11, 4])
BATCH = BatchRows("name", ROWS, 0.5)


@pytest.fixture
def texts_of(cs224n_root: Path) -> dict[int, tuple[str, ...]]:
    """The sentence pairs of the paraphrase file by row."""
    return {row: example.texts for row, example in enumerate(Quora().read("train", cs224n_root, print))}


def open_task(task: Task, split: Split, root: Path, cache: Path, tokenizer: BertTokenizer) -> TokenStore:
    return open_split(
        task, split, root=root, tokenizer=tokenizer, max_length=32, cache_dir=cache, report=lambda message: None
    )


def test_worked_example_of_a_cross_encoded_batch(tmp_path: Path, tokenizer: BertTokenizer) -> None:
    examples = [Example("p", ("the cat", "a"), 1), Example("q", ("dog", "the cat"), 0)]
    target = tmp_path / "store.arrow"
    write_store(examples, target, encoding="cross", tokenizer=tokenizer, max_length=32, notes=[])

    batch = collate(TokenStore(target, task=Quora(), source={}), BatchRows("quora", np.array([1, 0]), 1.0))

    cls, sep, the, cat, a, dog = tokenizer.convert_tokens_to_ids(["[CLS]", "[SEP]", "the", "cat", "a", "dog"])
    assert batch.tokens.input_ids.tolist() == [cls, dog, sep, the, cat, sep, cls, the, cat, sep, a, sep]
    assert batch.tokens.token_type_ids.tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1]
    assert batch.tokens.position_ids.tolist() == [0, 1, 2, 3, 4, 5] * 2
    assert batch.tokens.cu_seqlens.tolist() == [0, 6, 12]
    assert batch.labels.tolist() == [0, 1]
    assert batch.ids == ["q", "p"]
    assert batch.rows.tolist() == [1, 0]
    assert (batch.task, batch.weight) == ("quora", 1.0)


@pytest.mark.parametrize("chunk", [3, 4096])
def test_cross_tokens_and_segments_are_those_of_the_tokenizer_in_batch_order(
    chunk: int,
    cs224n_root: Path,
    tmp_path: Path,
    tokenizer: BertTokenizer,
    texts_of: dict[int, tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encoding, "ROWS_A_CHUNK", chunk)
    batch = collate(open_task(Quora(), "train", cs224n_root, tmp_path, tokenizer), BATCH)

    expected = [tokenizer(*texts_of[row]) for row in ROWS]
    assert batch.tokens.input_ids.tolist() == [token for row in expected for token in row.input_ids]
    assert batch.tokens.token_type_ids.tolist() == [segment for row in expected for segment in row.token_type_ids]
    assert batch.tokens.cu_seqlens.diff().tolist() == [len(row.input_ids) for row in expected]
    assert batch.ids == [f"quora-{row:02d}" for row in ROWS]
    assert batch.rows.tolist() == ROWS.tolist()
    assert (batch.task, batch.weight) == ("name", 0.5)


def test_bi_sequences_come_example_by_example_and_in_segment_0(
    cs224n_root: Path, tmp_path: Path, tokenizer: BertTokenizer, texts_of: dict[int, tuple[str, ...]]
) -> None:
    batch = collate(open_task(Quora(encoding="bi"), "train", cs224n_root, tmp_path, tokenizer), BATCH)

    expected = [tokenizer(text).input_ids for row in ROWS for text in texts_of[row]]
    assert len(expected) == 8
    assert batch.tokens.cu_seqlens.diff().tolist() == [len(ids) for ids in expected]
    assert batch.tokens.input_ids.tolist() == [token for ids in expected for token in ids]
    assert batch.tokens.token_type_ids.unique().tolist() == [0]
    assert batch.labels.shape == (4,)


@pytest.mark.parametrize(
    ("task", "dtype", "labels"),
    [
        (Sst(), torch.int64, [2, 0, 1, 4]),
        (Quora(), torch.int64, [1, 0, 1, 0]),
        (Sts(), torch.float32, [4.5, 0.0, 5.0, 0.5]),
    ],
)
def test_labels_are_those_of_the_rows(
    task: Task, dtype: torch.dtype, labels: list[float], cs224n_root: Path, tmp_path: Path, tokenizer: BertTokenizer
) -> None:
    batch = collate(open_task(task, "train", cs224n_root, tmp_path, tokenizer), BATCH)

    assert batch.labels.dtype == dtype
    assert batch.labels.tolist() == labels


@pytest.mark.parametrize("task", [Sst(), Sts()])
def test_a_missing_label_is_minus_one_or_nan(
    task: Task, cs224n_root: Path, tmp_path: Path, tokenizer: BertTokenizer
) -> None:
    batch = collate(open_task(task, "test", cs224n_root, tmp_path, tokenizer), BATCH)

    if isinstance(task, Sts):
        assert batch.labels.dtype == torch.float32
        assert batch.labels.isnan().all()
    else:
        assert batch.labels.tolist() == [-1] * 4


def test_the_batch_changes_neither_the_store_nor_the_index(
    cs224n_root: Path, tmp_path: Path, tokenizer: BertTokenizer
) -> None:
    store = open_task(Sst(), "train", cs224n_root, tmp_path, tokenizer)
    batch = collate(store, BATCH)
    for tensor in (batch.labels, batch.rows, batch.tokens.input_ids):
        tensor.fill_(3)

    again = collate(store, BATCH)
    assert again.rows.tolist() == ROWS.tolist() == [7, 0, 11, 4]
    assert again.labels.tolist() == [2, 0, 1, 4]
    assert again.tokens.input_ids[0] == tokenizer.cls_token_id


def test_one_example_alone_is_a_batch(cs224n_root: Path, tmp_path: Path, tokenizer: BertTokenizer) -> None:
    batch = collate(open_task(Sst(), "train", cs224n_root, tmp_path, tokenizer), BatchRows("sst", np.array([5]), 1.0))

    assert batch.tokens.cu_seqlens.shape == (2,)
    assert len(batch.tokens.groups) == 1


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_loader_gives_the_batches_of_its_sampler(
    num_workers: int, cs224n_root: Path, tmp_path: Path, tokenizer: BertTokenizer
) -> None:
    stores = {
        name: open_task(task, "train", cs224n_root, tmp_path, tokenizer)
        for name, task in {"sst": Sst(), "sts": Sts(encoding="bi")}.items()
    }
    order = [BatchRows("sts", np.array([2, 1]), 1.0), BatchRows("sst", ROWS, 2.0)]

    loader = DataLoader(TaskDataset(stores, num_groups=2), sampler=order, batch_size=None, num_workers=num_workers)
    sts, sst = list(loader)

    assert (sts.task, sts.rows.tolist(), sts.weight) == ("sts", [2, 1], 1.0)
    assert (sst.task, sst.rows.tolist(), sst.weight) == ("sst", ROWS.tolist(), 2.0)
    assert [len(batch.tokens.groups) for batch in (sts, sst)] == [2, 2]
    assert len(sts.tokens.cu_seqlens) == 2 * 2 + 1


def test_pooled_vectors_of_texts_equal_the_padded_model(
    cs224n_root: Path,
    tmp_path: Path,
    tokenizer: BertTokenizer,
    tiny_backbone: Path,
    texts_of: dict[int, tuple[str, ...]],
) -> None:
    backbone = Backbone(load_encoder(str(tiny_backbone))).eval()
    batch = collate(open_task(Quora(), "train", cs224n_root, tmp_path, tokenizer), BATCH)
    first, second = zip(*(texts_of[row] for row in ROWS), strict=True)

    with torch.no_grad():
        expected = backbone.bert(**tokenizer(list(first), list(second), padding=True, return_tensors="pt"))
        pooled = backbone(batch.tokens)

    torch.testing.assert_close(pooled, expected.pooler_output, rtol=0, atol=1e-5)
