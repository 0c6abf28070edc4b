import pytest

from callbacks.drawn import DrawnExamples
from datamodules import MultitaskSampler, RoundRobinShuffled
from tests.tiny import batch_of


def test_batches_and_examples_are_counted_by_task():
    drawn = DrawnExamples()
    for task, rows in (("sst", [1, 2, 3]), ("sts", [4]), ("sst", [5])):
        drawn.add(batch_of(task, rows, 1.0), world_size=1)
    assert drawn.as_dict() == {"sst": {"batches": 2, "examples": 4}, "sts": {"batches": 1, "examples": 1}}


def test_the_first_of_two_processes_counts_the_rows_of_both():
    drawn = DrawnExamples()
    drawn.add(batch_of("sst", [0, 2, 4], 3 * 2 / 5), world_size=2)  # the other has rows 1 and 3
    assert drawn.as_dict() == {"sst": {"batches": 1, "examples": 5}}


def test_a_row_that_only_makes_the_step_does_not_count():
    drawn = DrawnExamples()
    drawn.add(batch_of("sst", [0], 0.0), world_size=2)
    assert drawn.as_dict() == {"sst": {"batches": 1, "examples": 0}}


def test_a_restored_count_goes_on():
    first, second = DrawnExamples(), DrawnExamples()
    first.add(batch_of("sst", [1, 2], 1.0), world_size=1)
    second.restore(first.as_dict())
    second.add(batch_of("sst", [3], 1.0), world_size=1)
    assert second.as_dict() == {"sst": {"batches": 2, "examples": 3}}
    assert first.as_dict() == {"sst": {"batches": 1, "examples": 2}}


def test_batches_that_are_taken_back_are_not_counted():
    drawn = DrawnExamples()
    drawn.begin_window(0)
    for number in range(3):  # windows of two batches
        if number % 2 == 0:
            drawn.begin_window(number)
        drawn.add(batch_of("sst", [number], 1.0), world_size=1)
    assert drawn.until(3) == {"sst": {"batches": 3, "examples": 3}}
    assert drawn.until(2) == {"sst": {"batches": 2, "examples": 2}}
    drawn.begin_window(0)  # the next epoch
    assert drawn.until(0) == {"sst": {"batches": 3, "examples": 3}}


@pytest.mark.parametrize("world_size", [1, 2, 3, 7])
def test_rank_zero_counts_what_the_plan_holds(world_size: int):
    sizes = {"sst": 23, "sts": 8, "quora": 1}
    drawn = DrawnExamples()
    sampler = MultitaskSampler(
        sizes, {"sst": 5, "sts": 3, "quora": 4}, RoundRobinShuffled(), seed=3, rank=0, world_size=world_size
    )
    for rows in sampler:
        drawn.add(batch_of(rows.stream, rows.rows.tolist(), rows.weight), world_size=world_size)
    assert {task: count["examples"] for task, count in drawn.as_dict().items()} == sizes
    assert {task: count["batches"] for task, count in drawn.as_dict().items()} == {"sst": 5, "sts": 3, "quora": 1}
