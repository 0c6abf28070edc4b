from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data._utils.pin_memory import pin_memory
from transformers import BertTokenizer

from backbones import StaticShape
from datamodules import BatchRows, DeviceDataset, TaskBatch, TaskDataset, TokenStore
from datamodules.encoding import open_split
from tasks import Quora, Sst, Sts, Task

CPU = torch.device("cpu")


def open_store(task: Task, root: Path, cache: Path, tokenizer: BertTokenizer) -> TokenStore:
    return open_split(
        task, "train", root=root, tokenizer=tokenizer, max_length=32, cache_dir=cache, report=lambda message: None
    )


def assert_equal(found: Any, expected: Any, path: str = "batch") -> int:
    """Compare nested named tuples to the bit; give the number of tensors."""
    assert type(found) is type(expected), path
    if isinstance(found, Tensor):
        assert found.dtype == expected.dtype, path
        assert torch.equal(found, expected), path
        return 1
    if isinstance(found, tuple):
        assert len(found) == len(expected), path
        parts = zip(found, expected, strict=True)
        return sum(assert_equal(own, other, f"{path}.{number}") for number, (own, other) in enumerate(parts))
    assert found == expected, path
    return 0


@pytest.mark.parametrize("num_groups", [0, 4])
@pytest.mark.parametrize("is_static", [False, True])
@pytest.mark.parametrize("task", [Sst(), Quora(), Quora(encoding="bi"), Sts(encoding="bi")], ids=str)
def test_batches_joined_on_the_device_are_those_of_the_host(
    task: Task, is_static: bool, num_groups: int, cs224n_root: Path, tmp_path: Path, tokenizer: BertTokenizer
) -> None:
    shapes = {"t": StaticShape(64, 5 * task.num_sequences, 32)} if is_static else None
    store = open_store(task, cs224n_root, tmp_path, tokenizer)
    host = TaskDataset({"t": store}, num_groups=num_groups, shapes=shapes)
    device = DeviceDataset(host, CPU)

    for rows in ([7, 0, 11, 4, 2], [11], [3, 3]):
        index = BatchRows("t", np.array(rows), 0.5)
        assert assert_equal(device[index], host[index]) > 8


def test_a_loader_gives_the_batches_and_the_memory_is_that_of_the_docstring(
    cs224n_root: Path, tmp_path: Path, tokenizer: BertTokenizer
) -> None:
    store = open_store(Quora(), cs224n_root, tmp_path, tokenizer)
    dataset = DeviceDataset(TaskDataset({"q": store}), CPU)
    order = [BatchRows("q", np.array([2, 1]), 1.0), BatchRows("q", np.array([5]), 1.0)]

    first, second = DataLoader(dataset, sampler=order, batch_size=None)

    assert (first.rows.tolist(), second.rows.tolist()) == ([2, 1], [5])
    assert dataset.num_bytes == 4 * int(store.lengths.sum()) + 16 * len(store)


def test_a_batch_keeps_its_form_in_pinned_memory(
    cs224n_root: Path, tmp_path: Path, tokenizer: BertTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A CPU has no pinned memory: the copies are left out, the way through the batch is the loader's."""
    pinned: list[Tensor] = []
    monkeypatch.setattr(Tensor, "pin_memory", lambda self, *_: pinned.append(self) or self)
    store = open_store(Quora(), cs224n_root, tmp_path, tokenizer)
    batch = TaskDataset({"q": store})[BatchRows("q", np.array([2, 1, 4]), 0.5)]

    found = pin_memory(batch)

    assert isinstance(found, TaskBatch)
    assert len(pinned) == assert_equal(found, batch)


def test_a_batch_moves_to_another_device_whole(cs224n_root: Path, tmp_path: Path, tokenizer: BertTokenizer) -> None:
    store = open_store(Quora(), cs224n_root, tmp_path, tokenizer)
    batch = TaskDataset({"q": store})[BatchRows("q", np.array([2, 1, 4]), 0.5)]

    moved = batch.tokens.to(torch.device("meta"))

    assert type(moved) is type(batch.tokens)
    assert moved.groups[0].keys.device.type == moved.firsts.groups[0].device.type == "meta"
    assert (moved.max_length, moved.num_sequences) == (batch.tokens.max_length, 3)
