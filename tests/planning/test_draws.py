import numpy as np
import pytest

from backbones import StaticShape
from datamodules import MultitaskSampler, RoundRobin, Sequential
from planning.draws import Draws, draw
from planning.visits import Spacing, count_visits, measure_spacing


def test_tokens_padding_and_unseen_rows_are_counted_batch_by_batch():
    sampler = MultitaskSampler({"one": 3, "two": 4}, {"one": 2, "two": 2}, RoundRobin(), seed=0)
    lengths = {"one": [np.array([[5], [5], [5]])], "two": [np.array([[2, 6], [2, 6], [2, 6], [2, 6]])]}
    shapes = {"two": [StaticShape(round_tokens=8, num_sequences=4, max_length=9)]}
    draws = draw(sampler, lengths, [4, 2], shapes)
    assert draws.task.tolist() == [0, 1, 0, 1, 0, 1]
    assert draws.epoch.tolist() == [0, 0, 0, 0, 1, 1]
    assert draws.examples.tolist() == [2, 2, 1, 2, 2, 2]
    assert draws.tokens.tolist() == [10, 16, 5, 16, 10, 16]
    assert draws.padded.tolist() == [10, 24, 5, 24, 10, 24]  # four sequences of 6
    assert draws.filled.tolist() == [10, 24, 5, 24, 10, 24]  # one sequence of padding at least, to a multiple of 8
    assert draws.unseen == {"one": 0, "two": 0}


def test_rows_that_no_batch_has_are_unseen():
    sampler = MultitaskSampler({"one": 3, "two": 4}, {"one": 1, "two": 1}, Sequential(), seed=0)
    ones = {"one": [np.ones((3, 1), dtype=np.int64)], "two": [np.ones((4, 1), dtype=np.int64)]}
    draws = draw(sampler, ones, [5], {})
    assert draws.unseen == {"one": 0, "two": 2}
    visits = count_visits(draws, "two")
    assert (visits.batches, visits.examples, visits.passes, visits.share, visits.tokens) == (2, 2, 0.5, 0.4, 2)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ([0, 0, 1, 1, 1], Spacing(first=1, last=2, largest_gap=0, mean_gap=0.0)),
        ([1, 0, 1, 1, 0, 0, 1], Spacing(first=2, last=6, largest_gap=2, mean_gap=1.0)),
        ([1, 1, 0], Spacing(first=3, last=3, largest_gap=0, mean_gap=0.0)),
        ([1], Spacing(first=None, last=None, largest_gap=0, mean_gap=0.0)),
    ],
)
def test_gaps_count_the_batches_of_other_tasks(order, expected):
    task, ones = np.array(order), np.ones(len(order), dtype=np.int64)
    draws = Draws(["a", "b"], {"a": 9, "b": 9}, task, ones, ones, ones, ones, ones, {})
    assert measure_spacing(draws, "a") == expected
