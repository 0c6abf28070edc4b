"""Balanced sampling: as many rows as before, the same number of each class, the same after a resume."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from datamodules import DeviceDataset, MultitaskDataModule, MultitaskSampler, RoundRobin, TaskDataset
from datamodules.row_orders import BalancedRows
from tasks import Classification, Source
from tests.tiny import build_module, make_trainer, open_data

CLASSES = np.array([0] * 20 + [1] * 6 + [2] * 1)
ROWS = np.arange(27) + 100
ORDER = BalancedRows(ROWS, CLASSES)


def draw(seed: int) -> np.ndarray:
    return ORDER.draw(np.random.default_rng(seed))


def test_each_class_has_the_same_number_of_rows_and_rare_rows_come_alike_often() -> None:
    for seed in range(5):
        drawn = draw(seed)
        assert len(drawn) == len(ORDER) == 27
        counts = np.bincount(drawn - 100, minlength=27)
        assert [counts[one == CLASSES].sum() for one in range(3)] == [9, 9, 9]
        assert counts[:20].max() == 1
        assert sorted(counts[20:26]) == [1, 1, 1, 2, 2, 2]
    assert ORDER.passes == {0: 9 / 20, 1: 9 / 6, 2: 9.0}


def test_every_row_has_its_turn_over_the_passes() -> None:
    assert len(set(np.concatenate([draw(seed) for seed in range(12)]).tolist())) == 27


def test_a_class_that_does_not_occur_takes_no_share() -> None:
    order = BalancedRows(np.arange(4), np.array([0, 0, 0, 3]))
    assert order.passes == {0: 2 / 3, 3: 2.0}
    assert sorted(order.draw(np.random.default_rng(0)).tolist())[-2:] == [3, 3]


def batches(epoch: int, start: int = 0, **ranks: int) -> list[list[int]]:
    sampler = MultitaskSampler({"a": 27}, {"a": 4}, RoundRobin(), orders={"a": ORDER}, seed=5, **ranks)
    sampler.resume(epoch, start)
    return [batch.rows.tolist() for batch in sampler]


def test_the_order_is_a_function_of_seed_and_epoch_and_resumes_at_any_batch() -> None:
    assert batches(0) == batches(0)
    assert batches(0) != batches(1)
    for start in range(7):
        assert batches(1, start) == batches(1)[start:]


def test_processes_share_the_rows() -> None:
    parts = zip(batches(2, rank=0, world_size=2), batches(2, rank=1, world_size=2), strict=True)
    joined = [sorted(one + other) for one, other in parts]
    whole = [sorted(batch) for batch in batches(2)]
    assert joined[:6] == whole[:6]  # the last batch of three rows is even, or one process has none of its own


@pytest.fixture
def build(word_backbone: Path, tmp_path: Path) -> Any:
    def open_task(**settings: Any) -> MultitaskDataModule:
        labels = ["0", "0", "0", "0", "0", "0", "1", "", "1", "2"]
        lines = [f"film {number}\t{label}" for number, label in enumerate(labels)]
        (tmp_path / "own.tsv").write_text("\n".join(["text\ty", *lines]) + "\n")
        task = Classification(
            source=Source(train="own.tsv", dev="own.tsv"),
            texts=("text",),
            label="y",
            num_classes=3,
            missing_labels="ignore",
            **settings,
        )
        data = open_data(word_backbone, tmp_path, tmp_path / "cache", tasks={"own": task}, max_length=32)
        data.prepare_data()
        data.setup("fit")
        return data

    return open_task


def test_training_draws_each_class_alike_and_no_gap(build: Any) -> None:
    labels = torch.cat([batch.labels for batch in build(sampling="balanced").train_dataloader()])
    assert torch.bincount(labels).tolist() == [3, 3, 3]


def test_batches_carry_the_weights_of_their_labels_also_on_the_device(build: Any) -> None:
    data = build(class_weights="balanced")
    expected = {0: 9 / 18, 1: 9 / 6, 2: 9 / 3}
    stores = data.stores["train"]
    on_device = DeviceDataset(TaskDataset(stores), torch.device("cpu"))
    seen = set()
    for index in data.make_sampler():
        for dataset in (TaskDataset(stores), on_device):
            batch = dataset[index]
            weights = [expected[label] for label in batch.labels.tolist()]
            assert batch.label_weights.tolist() == pytest.approx(weights)
            seen.update(batch.labels.tolist())
    assert seen == {0, 1, 2}


def test_weights_and_sampling_are_part_of_what_a_resumed_training_needs(build: Any) -> None:
    plain, weighted, balanced = (
        build(**settings).identity()["tasks"]["own"]
        for settings in ({}, {"class_weights": {"2": 4.0}}, {"sampling": "balanced"})
    )
    assert "class_weights" not in plain
    assert "sampling" not in plain
    assert weighted["class_weights"] != build(class_weights={"2": 5.0}).identity()["tasks"]["own"]["class_weights"]
    assert balanced == {**plain, "sampling": "balanced"}


def test_weights_change_what_is_learnt_and_not_what_is_scored(build: Any, word_backbone: Path, tmp_path: Path) -> None:
    losses, scores = [], []
    for settings in ({}, {"class_weights": {"2": 9.0}}):
        data = build(**settings)
        torch.manual_seed(0)
        module = build_module(word_backbone, tasks=data.tasks).eval()
        batch = next(iter(data.train_dataloader()))
        losses.append(float(module.training_step(batch, 0)["loss"]))
        trainer = make_trainer(tmp_path)
        scores.append(trainer.validate(module, datamodule=data, verbose=False)[0]["val/own/loss"])
    assert 2 in batch.labels.tolist()
    assert losses[0] < losses[1]
    assert scores[0] == scores[1]
