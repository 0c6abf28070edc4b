from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from transformers import BertTokenizer

from datamodules import BatchRows, TaskDataset, TokenStore, collate
from datamodules.encoding import open_split, write_store
from datamodules.pairs import choose_swapped, lay_out, swap_sides
from tasks import Example, InputError, PairClassification, Quora, Source, Sst, Sts, Task

ROWS = np.array([7, 0, 11, 4])
CROSS, BI = np.array([101, 1, 2, 102, 3, 102], dtype=np.int32), np.array([101, 1, 2, 102, 101, 3, 102], dtype=np.int32)


def open_task(task: Task, root: Path, cache: Path, tokenizer: BertTokenizer) -> TokenStore:
    return open_split(task, "train", root=root, tokenizer=tokenizer, max_length=32, cache_dir=cache, report=print)


# Which pairs are swapped


def test_half_of_the_rows_are_chosen_in_every_epoch():
    rows = np.arange(20_000)
    chosen = np.stack([choose_swapped(rows, seed=1, epoch=epoch, task="quora") for epoch in range(3)])
    assert chosen.mean(axis=1) == pytest.approx(np.full(3, 0.5), abs=0.015)
    for other in (chosen[1], chosen[2], choose_swapped(rows, seed=2, epoch=0, task="quora")):
        assert np.mean(chosen[0] == other) == pytest.approx(0.5, abs=0.015)
    assert np.mean(chosen[0] == choose_swapped(rows, seed=1, epoch=0, task="sts")) == pytest.approx(0.5, abs=0.015)
    assert np.mean(chosen[0][1:] == chosen[0][:-1]) == pytest.approx(0.5, abs=0.015)


def test_a_rows_choice_does_not_depend_on_the_batch():
    together = choose_swapped(np.arange(50), seed=3, epoch=1, task="sts")
    alone = [choose_swapped(np.array([row]), seed=3, epoch=1, task="sts")[0] for row in range(50)]
    assert together.tolist() == alone
    assert 10 < together.sum() < 40


# How they are swapped


def test_sides_change_places_by_hand():
    swapped, first = swap_sides(CROSS, 4, "cross")
    assert (swapped.tolist(), first) == ([101, 3, 102, 1, 2, 102], 3)
    swapped, first = swap_sides(BI, 4, "bi")
    assert (swapped.tolist(), first) == ([101, 3, 102, 101, 1, 2, 102], 3)
    assert CROSS.tolist() == [101, 1, 2, 102, 3, 102]


@pytest.mark.parametrize(("tokens", "encoding"), [(CROSS, "cross"), (BI, "bi")])
def test_two_swaps_are_none(tokens, encoding):
    back, first = swap_sides(*swap_sides(tokens, 4, encoding), encoding)
    assert (back.tolist(), first) == (tokens.tolist(), 4)


@pytest.mark.parametrize("encoding", ["cross", "bi"])
def test_a_swapped_batch_is_the_batch_of_swapped_texts(encoding, tmp_path, tokenizer):
    pairs = [("the cat", "a dog is slow"), ("how", "the cat")]
    stores = []
    for name, texts in {"a": pairs, "b": [pair[::-1] for pair in pairs]}.items():
        examples = [Example(str(number), pair, 1) for number, pair in enumerate(texts)]
        write_store(examples, tmp_path / name, encoding=encoding, tokenizer=tokenizer, max_length=32, notes=[])
        stores.append(TokenStore(tmp_path / name, task=Quora(encoding=encoding), source={}))
    swapped = [swap_sides(stores[0].tokens(row), int(stores[0].first_lengths[row]), encoding) for row in (0, 1)]
    layout = lay_out([pair for pair, _ in swapped], np.array([first for _, first in swapped]), encoding)
    expected = collate(stores[1], BatchRows("quora", np.array([0, 1]))).tokens
    assert layout.input_ids.tolist() == expected.input_ids.tolist()
    assert layout.token_type_ids.tolist() == expected.token_type_ids.tolist()
    assert layout.lengths.tolist() == expected.cu_seqlens.diff().tolist()


# In batches


@pytest.mark.parametrize("encoding", ["cross", "bi"])
def test_training_batches_have_the_chosen_rows_swapped(encoding, cs224n_root, tmp_path, tokenizer):
    store = open_task(Quora(encoding=encoding, swap=True), cs224n_root, tmp_path, tokenizer)
    texts = [example.texts for example in Quora().read("train", cs224n_root, print)]
    seen = set()
    for epoch in range(4):
        batch = collate(store, BatchRows("quora", ROWS, 1.0, epoch), seed=5)
        chosen = choose_swapped(ROWS, seed=5, epoch=epoch, task="quora")
        pairs = [texts[row][::-1] if swap else texts[row] for row, swap in zip(ROWS, chosen, strict=True)]
        calls = [(pair,) if encoding == "cross" else ((pair[0],), (pair[1],)) for pair in pairs]
        expected = [tokenizer(*parts) for call in calls for parts in call]
        assert batch.tokens.input_ids.tolist() == [token for row in expected for token in row.input_ids]
        assert batch.tokens.token_type_ids.tolist() == [part for row in expected for part in row.token_type_ids]
        assert batch.orders == 1
        seen |= {tuple(chosen.tolist())}
    assert len(seen) > 1


def test_evaluation_leaves_a_task_with_swap_as_it_is(cs224n_root, tmp_path, tokenizer):
    store = open_task(Quora(swap=True), cs224n_root, tmp_path, tokenizer)
    plain = open_task(Quora(), cs224n_root, tmp_path, tokenizer)
    assert store.path == plain.path  # the same cached tokens
    batch = BatchRows("quora", ROWS)
    assert collate(store, batch).tokens.input_ids.tolist() == collate(plain, batch).tokens.input_ids.tolist()


def test_averaging_puts_the_swapped_pairs_behind(cs224n_root, tmp_path, tokenizer):
    plain = open_task(Sts(), cs224n_root, tmp_path, tokenizer)
    store = open_task(Sts(average_orders=True), cs224n_root, tmp_path, tokenizer)
    once, twice = (collate(one, BatchRows("sts", ROWS)) for one in (plain, store))
    texts = [example.texts for example in Sts().read("train", cs224n_root, print)]
    swapped = [token for row in ROWS for token in tokenizer(*texts[row][::-1]).input_ids]
    assert twice.tokens.input_ids.tolist() == [*once.tokens.input_ids.tolist(), *swapped]
    assert (twice.orders, len(twice.labels), len(twice.ids), len(twice.tokens.cu_seqlens)) == (2, 4, 4, 9)
    assert collate(store, BatchRows("sts", ROWS), seed=1).orders == 1


def test_swapped_batches_do_not_depend_on_workers(cs224n_root, tmp_path, tokenizer):
    stores = {"sts": open_task(Sts(swap=True), cs224n_root, tmp_path, tokenizer)}
    order = [BatchRows("sts", np.arange(start, start + 4), 1.0, epoch) for epoch in (0, 1) for start in (0, 4, 8)]
    loads = []
    for workers in (0, 2):
        loader = DataLoader(TaskDataset(stores, seed=9), sampler=order, batch_size=None, num_workers=workers)
        loads.append([batch.tokens.input_ids for batch in loader])
    assert all(torch.equal(*pair) for pair in zip(*loads, strict=True))
    assert [len(load) for load in loads] == [6, 6]


@pytest.mark.parametrize("option", ["swap", "average_orders"])
def test_one_sentence_has_no_other_order(option):
    with pytest.raises(InputError, match=f"Sst: {option} is true, but an example is one sentence"):
        replace(Sst(), **{option: True})
    task = PairClassification(
        source=Source(train="a.csv"), texts=("a", "b"), label="y", num_classes=3, **{option: True}
    )
    assert getattr(task, option)
