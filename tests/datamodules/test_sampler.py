from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset

from datamodules.batch_rows import BatchRows
from datamodules.sampler import MultitaskSampler
from datamodules.schedules import (
    Annealed,
    RoundRobin,
    RoundRobinShuffled,
    Schedule,
    Sequential,
    Shuffled,
    Staged,
    Temperature,
)

SIZES = {"sst": 11, "quora": 40, "sts": 7}
BATCH_SIZES = {"sst": 4, "quora": 8, "sts": 2}
DEFAULT = RoundRobinShuffled()
ALL = [
    Sequential(),
    Shuffled(),
    DEFAULT,
    RoundRobin("shortest"),
    RoundRobin("longest"),
    Temperature(),
    Annealed(),
    Staged("sst"),
]
sizes_and_batch_sizes = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 9)), min_size=1, max_size=4).map(
    lambda pairs: (
        {f"task{i}": size for i, (size, _) in enumerate(pairs)},
        {f"task{i}": batch_size for i, (_, batch_size) in enumerate(pairs)},
    )
)


def make(schedule: Schedule = DEFAULT, *, seed: int = 0, rank: int = 0, world_size: int = 1) -> MultitaskSampler:
    return MultitaskSampler(SIZES, BATCH_SIZES, schedule, seed=seed, max_epochs=3, rank=rank, world_size=world_size)


def plain(batches: Iterable[BatchRows]) -> list[tuple[str, list[int], float]]:
    return [(batch.stream, batch.rows.tolist(), batch.weight) for batch in batches]


def rows_of(task: str, batches: Iterable[BatchRows]) -> list[int]:
    return [int(row) for batch in batches if batch.stream == task for row in batch.rows]


class Echo(Dataset[BatchRows]):
    """Gives back the index it is asked for."""

    def __getitem__(self, batch: BatchRows) -> BatchRows:
        return batch


# Which rows


@pytest.mark.parametrize("schedule", [Sequential(), Shuffled(), RoundRobinShuffled()], ids=repr)
@given(tasks=sizes_and_batch_sizes, seed=st.integers(0, 1000))
@settings(max_examples=50)
def test_every_row_comes_once_an_epoch(schedule: Schedule, tasks: tuple[dict[str, int], dict[str, int]], seed: int):
    sizes, batch_sizes = tasks
    batches = list(MultitaskSampler(sizes, batch_sizes, schedule, seed=seed))
    for task, size in sizes.items():
        assert sorted(rows_of(task, batches)) == list(range(size))
        assert all(len(batch.rows) <= batch_sizes[task] for batch in batches if batch.stream == task)


def test_the_last_batch_of_a_pass_is_ragged_and_the_next_pass_is_shuffled_anew():
    batches = list(MultitaskSampler({"sst": 5, "quora": 40}, {"sst": 2, "quora": 4}, RoundRobin("longest"), seed=0))
    sst = [batch for batch in batches if batch.stream == "sst"]
    assert [len(batch.rows) for batch in sst] == [2, 2, 1, 2, 2, 1, 2, 2, 1, 2]
    passes = [rows_of("sst", sst[start : start + 3]) for start in (0, 3, 6)]
    assert [sorted(rows) for rows in passes] == [[0, 1, 2, 3, 4]] * 3
    assert len({tuple(rows) for rows in passes}) == 3


def test_rows_are_int64():
    assert {batch.rows.dtype for batch in make()} == {np.dtype(np.int64)}


def test_adding_a_task_leaves_the_rows_of_the_others_as_they_are():
    before = list(make())
    after = list(
        MultitaskSampler({"nli": 9, **SIZES}, {"nli": 3, **BATCH_SIZES}, RoundRobinShuffled(), seed=0, max_epochs=3)
    )
    assert len(rows_of("nli", after)) == 9
    for task in SIZES:
        assert rows_of(task, before) == rows_of(task, after)


def test_tasks_of_the_same_size_are_shuffled_differently():
    batches = list(MultitaskSampler({"sst": 30, "sts": 30}, {"sst": 5, "sts": 5}, Sequential(), seed=0))
    assert rows_of("sst", batches) != rows_of("sts", batches)


def test_staged_cycles_through_the_rows_of_the_first_task():
    sampler = make(Staged("sts", epochs=1, then=Sequential()))
    batches = list(sampler)
    assert len(batches) == len(sampler) == 3 + 5 + 4
    assert {batch.stream for batch in batches} == {"sts"}
    assert [sorted(rows_of("sts", batches[i : i + 4])) for i in (0, 4, 8)] == [list(range(7))] * 3
    sampler.set_epoch(1)
    assert [batch.stream for batch in sampler] == ["sst"] * 3 + ["quora"] * 5 + ["sts"] * 4


# In which order


@pytest.mark.parametrize("schedule", ALL, ids=repr)
def test_order_repeats_under_a_seed_and_differs_between_epochs_and_seeds(schedule: Schedule):
    sampler = make(schedule)
    first = plain(sampler)
    assert plain(sampler) == plain(make(schedule)) == first
    assert plain(make(schedule, seed=1)) != first
    sampler.set_epoch(1)
    assert plain(sampler) != first
    sampler.set_epoch(0)
    assert plain(sampler) == first


@pytest.mark.parametrize("schedule", ALL, ids=repr)
def test_plan_names_the_task_of_each_step(schedule: Schedule):
    sampler = make(schedule)
    for epoch in range(3):
        sampler.set_epoch(epoch)
        assert sampler.plan(epoch) == [batch.stream for batch in sampler]
        assert len(sampler.plan(epoch)) == len(sampler)


def test_iterating_does_not_disturb_the_global_random_state():
    np.random.seed(0)
    before = np.random.get_state()[1].tolist()  # type: ignore[union-attr]
    list(make())
    assert np.random.get_state()[1].tolist() == before  # type: ignore[union-attr]


# Ranks


@given(tasks=sizes_and_batch_sizes, world_size=st.integers(1, 3), seed=st.integers(0, 1000))
@settings(max_examples=60)
def test_ranks_join_to_the_same_global_batches(
    tasks: tuple[dict[str, int], dict[str, int]], world_size: int, seed: int
):
    whole = list(MultitaskSampler(*tasks, RoundRobinShuffled(), seed=seed))
    ranks = [
        list(MultitaskSampler(*tasks, RoundRobinShuffled(), seed=seed, rank=rank, world_size=world_size))
        for rank in range(world_size)
    ]
    for batch, *parts in zip(whole, *ranks, strict=True):
        assert {part.stream for part in parts} == {batch.stream}
        assert batch.weight == 1
        joined = np.empty_like(batch.rows)
        for rank, part in enumerate(parts):
            assert len(part.rows) >= 1
            if part.weight > 0:
                joined[rank::world_size] = part.rows
        assert joined.tolist() == batch.rows.tolist()
        assert sum(part.weight for part in parts) == pytest.approx(world_size)
        weighted_mean = np.mean([part.rows.mean() * part.weight for part in parts])
        assert weighted_mean == pytest.approx(batch.rows.mean())


def test_a_rank_without_rows_still_makes_the_step_with_weight_zero():
    [whole] = MultitaskSampler({"sst": 2}, {"sst": 8}, Sequential(), seed=0)
    parts = [
        next(iter(MultitaskSampler({"sst": 2}, {"sst": 8}, Sequential(), seed=0, rank=rank, world_size=3)))
        for rank in range(3)
    ]
    first, second = whole.rows.tolist()
    assert plain(parts) == [("sst", [first], 1.5), ("sst", [second], 1.5), ("sst", [first], 0.0)]


# Resume


@pytest.mark.parametrize("schedule", ALL, ids=repr)
def test_resume_at_every_position_gives_the_tail_of_the_epoch(schedule: Schedule):
    sampler = make(schedule)
    sampler.set_epoch(1)
    uninterrupted = plain(sampler)
    for batch in range(len(sampler)):
        resumed = make(schedule)
        resumed.resume(1, batch)
        resumed.set_epoch(1)
        assert len(resumed) == len(uninterrupted)
        assert plain(resumed) == uninterrupted[batch:]


def test_resume_after_the_last_batch_starts_the_next_epoch():
    expected = make()
    expected.set_epoch(2)
    for batch in (len(expected), len(expected) + 1):
        sampler = make()
        sampler.resume(1, batch)
        sampler.set_epoch(1)
        assert plain(sampler) == plain(expected)


def test_resume_counts_for_one_iteration_only():
    sampler = make()
    sampler.set_epoch(1)
    whole = plain(sampler)
    sampler.resume(1, 5)
    assert plain(sampler) == whole[5:]
    assert plain(sampler) == whole


def test_resume_to_an_earlier_epoch_counts():
    sampler = make()
    tail = plain(sampler)[5:]
    sampler.set_epoch(2)
    sampler.resume(0, 5)
    assert plain(sampler) == tail


def test_a_resume_position_is_dropped_when_the_trainer_goes_on_to_a_later_epoch():
    sampler = make()
    sampler.resume(0, 5)
    sampler.set_epoch(1)
    expected = make()
    expected.set_epoch(1)
    assert plain(sampler) == plain(expected)


def test_nothing_is_drawn_before_the_first_batch():
    sampler = make()
    batches = iter(sampler)
    iter(sampler)  # never drawn from, so it takes no resume position
    sampler.resume(1, 5)
    sampler.set_epoch(1)
    expected = make()
    expected.set_epoch(1)
    assert plain(batches) == plain(expected)[5:]


def test_resume_works_with_another_number_of_ranks():
    whole = plain(make())
    for rank in range(2):
        sampler = make(rank=rank, world_size=2)
        sampler.resume(0, 7)
        assert [rows for _, rows, _ in plain(sampler)] == [rows[rank::2] or rows[:1] for _, rows, _ in whole[7:]]


# In a loader


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_loader_gives_the_same_sequence_with_any_number_of_workers(num_workers: int):
    sampler = make()
    loader = DataLoader(
        Echo(), sampler=sampler, batch_size=None, num_workers=num_workers, collate_fn=lambda batch: batch
    )
    expected = make()
    expected.set_epoch(1)
    sampler.resume(1, 3)
    assert len(loader) == len(expected)
    assert plain(loader) == plain(expected)[3:]
    sampler.set_epoch(2)
    expected.set_epoch(2)
    assert plain(loader) == plain(expected)


# Errors


@pytest.mark.parametrize(
    ("sizes", "batch_sizes", "message"),
    [
        ({"sst": 3, "sts": 0}, {"sst": 2, "sts": 2}, r"task 'sts': 0 rows \(expected at least 1\)"),
        ({"sst": 3, "sts": 3}, {"sst": 0, "sts": 2}, r"task 'sst': batch size 0 \(expected at least 1\)"),
        ({"sst": 3}, {"sst": 2, "sts": 2}, r"sizes of \['sst'\], batch sizes of \['sst', 'sts'\]"),
        ({}, {}, r"sizes of \[\]"),
    ],
)
def test_impossible_sizes_are_refused(sizes: dict[str, int], batch_sizes: dict[str, int], message: str):
    with pytest.raises(ValueError, match=message):
        MultitaskSampler(sizes, batch_sizes, RoundRobinShuffled(), seed=0)


def test_a_rank_outside_of_the_world_is_refused():
    with pytest.raises(ValueError, match="rank 2 of 2"):
        make(rank=2, world_size=2)


@pytest.mark.parametrize("position", [(-1, 0), (0, -1)])
def test_a_negative_resume_position_is_refused(position: tuple[int, int]):
    with pytest.raises(ValueError, match=f"epoch {position[0]}, batch {position[1]}"):
        make().resume(*position)


def test_a_schedule_that_does_not_fit_is_refused_at_once():
    with pytest.raises(ValueError, match="expected one of the tasks: sst, quora, sts"):
        make(Staged("nli"))
    with pytest.raises(ValueError, match=r"Annealed: trainer\.max_epochs is None"):
        MultitaskSampler(SIZES, BATCH_SIZES, Annealed(), seed=0)


def test_a_schedule_that_breaks_its_promised_number_of_steps_is_refused():
    class TooLong(Sequential):
        def num_steps(self, batches: list[int]) -> int:
            return sum(batches) - 1

    with pytest.raises(ValueError, match=r"12 steps in epoch 0 \(expected num_steps, 11\)"):
        make(TooLong())
