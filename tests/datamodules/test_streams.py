"""Tasks over the same rows: found, read once, and drawn together."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.fabric.utilities.apply_func import move_data_to_device
from torch.utils.data import DataLoader

from datamodules import (
    BatchRows,
    DeviceDataset,
    JointBatch,
    MultitaskDataModule,
    MultitaskSampler,
    RoundRobin,
    RoundRobinShuffled,
    Schedule,
    Sequential,
    Staged,
    TaskDataset,
    passes,
)
from datamodules.streams import by_encoding, describe_streams, find_streams, join_rows
from planning.draws import draw
from tasks import InputError, Source, Sst, Task
from tests.tables import STARS, TAGS, TOPICS, pair_tasks, table_tasks, write_table
from tests.tiny import open_data

NAME = "topic+stars+tags"
Open = Callable[..., MultitaskDataModule]


@pytest.fixture
def opened(word_backbone: Path, tmp_path: Path) -> Open:
    def build(tasks: dict[str, Task] | None = None, **settings: Any) -> MultitaskDataModule:
        for name in ("train.tsv", "dev.tsv"):
            if not (tmp_path / name).exists():
                write_table(tmp_path, name)
        data = open_data(word_backbone, tmp_path, tmp_path / "cache", tasks=tasks or table_tasks(), **settings)
        data.prepare_data()
        data.setup("fit")
        return data

    return build


def test_tasks_over_the_same_rows_are_one_stream() -> None:
    tasks = {"sst": Sst(), **table_tasks()}
    assert find_streams(tasks) == {"sst": ("sst",), NAME: ("topic", "stars", "tags")}
    assert find_streams(tasks, share_rows=False) == {name: (name,) for name in tasks}
    assert find_streams(pair_tasks()) == {"cross+bi": ("cross", "bi")}


@pytest.mark.parametrize(
    "change",
    [
        {"source": Source(train="train.tsv", dev="other.tsv")},
        {"texts": ("other",)},
        {"id": None},
        {"delimiter": "\t"},
        {"quotes": False},
        {"broken_rows": "skip"},
        {"train_limit": 3},
        {"dev_limit": 3},
        {"batch_size": 2},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_decides_the_rows_keeps_tasks_apart(change: dict[str, Any]) -> None:
    tasks = table_tasks(stars=change)
    streams = find_streams(tasks)
    assert streams == {"topic+tags": ("topic", "tags"), "stars": ("stars",)}
    shared, *said = describe_streams(tasks, streams)
    assert shared.startswith("topic and tags share their rows")
    (setting,) = change
    expected = f"topic and tags and stars read the same texts but differ in {setting}: they share no batch"
    assert said == ([] if setting == "texts" else [expected])


def test_a_file_that_each_task_splits_by_its_own_label_is_not_shared() -> None:
    own, one = (Source(all="all.tsv", dev_share=0.2, stratify=column) for column in (None, "topic"))
    for source, count in ((own, 3), (one, 1)):
        tasks = {name: replace(task, source=source) for name, task in table_tasks().items()}
        assert len(find_streams(tasks)) == count


def test_two_orders_for_one_stream_are_refused() -> None:
    tasks = table_tasks(topic={"sampling": "balanced"})
    assert len(find_streams(tasks)) == 1
    tasks["again"] = replace(tasks["topic"])
    with pytest.raises(InputError, match="tasks topic, again share their rows, and each asks for sampling: balanced"):
        find_streams(tasks)


def test_the_stream_has_one_file_and_each_task_its_labels(opened: Open) -> None:
    data = opened()
    stores = data.stores["train"]
    assert len({store.path for store in stores.values()}) == 1
    assert [len(store) for store in stores.values()] == [11] * 3
    assert stores["topic"].has_label.tolist() == [bool(cell) for cell in TOPICS]
    assert stores["stars"].labels[stores["stars"].has_label].tolist() == [float(cell) for cell in STARS if cell]
    sets = [[float(name in cell.split(";")) for name in ("good", "bad")] for cell in TAGS if cell]
    assert stores["tags"].labels[stores["tags"].has_label].tolist() == sets
    apart = opened(share_rows=False).stores["train"]
    for name, store in stores.items():
        np.testing.assert_array_equal(store.labels, apart[name].labels)
        np.testing.assert_array_equal(store.all_tokens(), apart[name].all_tokens())
        assert store.all_ids() == apart[name].all_ids()


def test_tasks_that_are_kept_apart_have_the_files_and_orders_of_one_alone(opened: Open) -> None:
    tasks = table_tasks()
    apart = opened(share_rows=False)
    for name, task in tasks.items():
        alone = opened({name: task})
        assert alone.stores["train"][name].path == apart.stores["train"][name].path
        expected = [rows.rows.tolist() for rows in alone.make_sampler()]
        assert [rows.rows.tolist() for rows in apart.make_sampler() if rows.stream == name] == expected
        assert "streams" not in apart.identity()
        assert alone.identity()["tasks"][name] == apart.identity()["tasks"][name]


def test_two_encodings_have_a_file_each_with_the_same_rows(opened: Open) -> None:
    stores = opened(pair_tasks()).stores["train"]
    assert stores["cross"].path != stores["bi"].path
    assert stores["cross"].all_ids() == stores["bi"].all_ids()
    np.testing.assert_array_equal(stores["cross"].labels, stores["bi"].labels)


def test_where_broken_rows_are_skipped_a_missing_label_is_a_gap_of_its_task(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    change = {"missing_labels": "error", "broken_rows": "skip"}
    data = opened(table_tasks(topic=change, stars=change, tags={**change, "empty_is_none": True}))
    stores = data.stores["train"]
    assert [len(store) for store in stores.values()] == [11] * 3
    assert [int(store.has_label.sum()) for store in stores.values()] == [9, 9, 11]
    assert "task topic: 2 of 11 rows of" in caplog.text
    assert "task tags: " not in caplog.text


def test_where_broken_rows_are_errors_a_missing_label_is_one(opened: Open) -> None:
    with pytest.raises(InputError, match=r"train.tsv, line 3: stars is empty \(expected a label\)"):
        opened(table_tasks(stars={"missing_labels": "error"}))


def test_the_log_says_what_is_shared(opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    opened()
    assert "topic, stars and tags share their rows" in caplog.text
    caplog.clear()
    opened(share_rows=False)
    assert "share their rows" not in caplog.text
    assert "differ in" not in caplog.text


def test_a_batch_has_the_labels_of_all_tasks_and_its_tokens_once(opened: Open) -> None:
    data = opened()
    batches = list(data.train_dataloader())
    assert [len(batch.rows) for batch in batches] == [4, 4, 3]
    assert sorted(row for batch in batches for row in batch.rows.tolist()) == list(range(11))
    for batch in batches:
        assert isinstance(batch, JointBatch)
        assert batch.stream == NAME
        assert [part.task for part in batch.parts] == ["topic", "stars", "tags"]
        assert len(passes(batch)) == 1
        for part in batch.parts:
            known = data.stores["train"][part.task].has_label[batch.rows.numpy()]
            assert part.labelled is not None
            assert part.labelled.tolist() == np.flatnonzero(known).tolist()


@pytest.mark.parametrize("workers", [0, 1])
def test_tokens_stay_one_object_on_their_way_to_the_device(opened: Open, workers: int) -> None:
    data = opened({**table_tasks(), **pair_tasks(id="id")})
    dataset = TaskDataset(data.stores["train"], streams=data.streams)
    loader = DataLoader(dataset, sampler=data.make_sampler(), batch_size=None, num_workers=workers)
    seen = set()
    for batch in loader:
        moved = move_data_to_device(batch, torch.device("cpu"))
        seen.add((moved.stream, len(passes(moved)), len(moved.parts)))
        for one, other in zip(batch.parts, moved.parts, strict=True):
            assert torch.equal(one.tokens.input_ids, other.tokens.input_ids)
            assert torch.equal(one.labels, other.labels) or one.labels.isnan().any()
    assert seen == {(NAME, 1, 3), ("cross+bi", 2, 2)}


def test_swapped_pairs_are_those_of_all_encodings(opened: Open) -> None:
    data = opened(pair_tasks(swap=True))
    swapped = []
    for batch in data.train_dataloader():
        cross, bi = batch.parts
        plain = [data.stores["train"]["bi"].first_lengths[row] for row in batch.rows.tolist()]
        lengths = np.diff(bi.tokens.cu_seqlens.numpy())[::2]
        swapped += [int(one != other) for one, other in zip(lengths, plain, strict=True)]
        segments = np.split(cross.tokens.token_type_ids.numpy(), cross.tokens.cu_seqlens[1:-1].numpy())
        assert [int((one == 0).sum()) for one in segments] == lengths.tolist()
    assert 0 < sum(swapped) < len(swapped)


def test_the_device_store_joins_the_same_batches(opened: Open) -> None:
    data = opened()
    host = TaskDataset(data.stores["train"], streams=data.streams)
    device = DeviceDataset(host, torch.device("cpu"))
    for rows in data.make_sampler():
        one, other = host[rows], device[rows]
        assert len(passes(other)) == 1
        for part, same in zip(one.parts, other.parts, strict=True):
            assert torch.equal(part.tokens.input_ids, same.tokens.input_ids)
            assert part.labelled is not None
            assert same.labelled is not None
            assert part.labelled.tolist() == same.labelled.tolist()
            counts = [(each.weight, each.fullness, each.label_factor, each.any_labelled) for each in (part, same)]
            assert counts[0] == counts[1]


def test_each_evaluation_takes_every_row_once_for_all_tasks(opened: Open) -> None:
    data = opened(tokens_per_batch=30)
    rows = [row for batch in data.val_dataloader() for row in batch.rows.tolist()]
    assert sorted(rows) == list(range(11))
    assert len(data.val_dataloader()) > 1


def test_balanced_rows_of_one_task_decide_for_all(opened: Open) -> None:
    data = opened(table_tasks(topic={"sampling": "balanced"}))
    rows = [row for batch in data.train_dataloader() for row in batch.rows.tolist()]
    labels = [TOPICS[row] for row in rows]
    assert len(rows) == 9
    assert sorted((labels.count("film"), labels.count("song"))) == [4, 5]


@pytest.mark.parametrize("schedule", [Sequential(), RoundRobinShuffled(), RoundRobin("longest")])
def test_schedules_count_a_stream_once(opened: Open, schedule: Schedule) -> None:
    data = opened({**table_tasks(), **pair_tasks(id="id")}, schedule=schedule)
    assert set(data.make_sampler().plan(0)) == {NAME, "cross+bi"}
    assert data.schedule.window(len(data.streams)) == 1


def test_the_name_of_a_task_stands_for_its_stream(opened: Open) -> None:
    data = opened({**table_tasks(), **pair_tasks(id="id")}, schedule=Staged("stars", then=Sequential()))
    assert set(data.make_sampler().plan(0)) == {NAME}
    with pytest.raises(InputError, match=r"Staged: first is 'tag' \(expected one of the tasks: topic\+stars\+tags"):
        opened(schedule=Staged("tag")).make_sampler()


def test_a_changed_stream_is_no_resumed_one(opened: Open) -> None:
    identities = [opened().identity(), opened(share_rows=False).identity()]
    assert identities[0]["streams"] == {NAME: ["topic", "stars", "tags"]}
    assert identities[0] != identities[1]


@pytest.mark.parametrize("world_size", [1, 2, 3])
@pytest.mark.parametrize("window", [1, 2, 3])
def test_means_over_labelled_rows_add_up_over_ranks_and_windows(world_size: int, window: int) -> None:
    """The factors make each labelled row of a task count alike in an optimiser step, and all of them as one."""
    labelled = np.array([bool(cell) for cell in TOPICS]), np.array([bool(cell) for cell in TAGS])
    samplers = [
        MultitaskSampler(
            {"a+b": 11, "c": 5},
            {"a+b": 4, "c": 4},
            RoundRobinShuffled(),
            labelled={"a+b": labelled},
            window=window,
            seed=2,
            rank=rank,
            world_size=world_size,
        )
        for rank in range(world_size)
    ]
    steps = list(zip(*samplers, strict=True))
    for start in range(0, len(steps), window):
        joint = [parts for parts in steps[start : start + window] if parts[0].stream == "a+b"]
        amount = sum(parts[0].fullness for parts in joint)
        for task, has_label in enumerate(labelled):
            shares: dict[int, float] = {}
            for parts in joint:
                for part in parts if parts[0].labelled else ():
                    known = part.rows[has_label[part.rows]]
                    each = part.weight * part.labelled[task].factor * part.fullness / amount / world_size
                    shares |= {int(row): each / len(known) for row in known if part.weight}
            if shares:
                assert sum(shares.values()) == pytest.approx(1)
                assert len(set(np.round(list(shares.values()), 9))) == 1


def test_an_epoch_that_is_resumed_weighs_its_rows_as_before() -> None:
    def build() -> MultitaskSampler:
        labelled = {"a+b": [np.arange(11) % 3 > 0, np.arange(11) % 2 > 0]}
        return MultitaskSampler({"a+b": 11}, {"a+b": 2}, Sequential(), labelled=labelled, window=4, seed=1)

    def plain(batches: list[BatchRows]) -> list[Any]:
        return [(batch.rows.tolist(), batch.labelled) for batch in batches]

    whole = plain(list(build()))
    for start in range(6):
        again = build()
        again.resume(0, start)
        assert plain(list(again)) == whole[start:]
    limited = build()
    limited.limit(3)
    assert plain(list(limited))[:3] != whole[:3]


def test_the_plan_counts_the_tokens_of_all_encodings() -> None:
    sampler = MultitaskSampler({"a+b": 3}, {"a+b": 3}, Sequential(), seed=0)
    draws = draw(sampler, {"a+b": [np.array([[5], [6], [7]]), np.array([[2, 3], [2, 3], [2, 4]])]}, [1], {})
    assert (draws.tokens.tolist(), draws.padded.tolist(), draws.examples.tolist()) == ([34], [3 * 7 + 6 * 4], [3])


def test_the_rows_of_a_stream_have_their_encodings_in_the_order_of_its_passes(opened: Open) -> None:
    pairs = pair_tasks(id="id")
    data = opened({**pairs, "again": replace(pairs["cross"], weight=0.5)}, round_tokens=8)
    (name,) = data.streams
    rows = join_rows(data.streams, data.stores["train"])[name]
    groups = by_encoding(data.streams[name], data.tasks)
    assert [store.task.encoding for store in rows.stores] == [data.tasks[first].encoding for first, *_ in groups]
    assert [each.shape[1] for each in rows.sequence_lengths] == [1, 2]
    assert [shape.num_sequences for shape in data.shapes(data.stores["train"])[name]] == [4, 8]
