import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamodules import MultitaskSampler, Sequential, Staged
from datamodules.shares import redistribute


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("counts", "shares", "expected"),
    [  # by hand: one step each, the rest in the proportion count * share
        ([10, 10], [0.5, 1.0], [7, 13]),
        ([4, 8, 8], [1.0, 0.25, 1.0], [6, 3, 11]),
        ([6, 6], [0.1, 0.1], [6, 6]),
        ([1, 9], [0.1, 1.0], [1, 9]),
        ([0, 5], [1.0, 0.5], [0, 5]),
    ],
)
def test_a_reduced_task_has_its_share_of_an_epoch_of_the_same_length(counts, shares, expected):
    order = rng(1).permutation(np.repeat(np.arange(len(counts)), counts))
    assert np.bincount(redistribute(order, shares, rng()), minlength=len(counts)).tolist() == expected


def test_equal_shares_change_nothing():
    order = np.array([0, 1, 1, 0, 1])
    assert redistribute(order, [0.3, 0.3], rng()) is order


@given(
    st.lists(st.integers(1, 12), min_size=2, max_size=4),
    st.lists(st.floats(0.05, 1), min_size=4, max_size=4),
    st.integers(0, 99),
)
def test_steps_change_only_where_a_task_loses_them(counts, shares, seed):
    order = rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    reduced = redistribute(order, shares[: len(counts)], rng(seed))
    before, after = np.bincount(order, minlength=len(counts)), np.bincount(reduced, minlength=len(counts))
    assert len(reduced) == len(order)
    assert after.min() >= 1
    losing = set(np.flatnonzero(after < before))
    assert {int(task) for task in order[reduced != order]} <= losing
    assert np.array_equal(reduced, redistribute(order, shares[: len(counts)], rng(seed)))


def build(schedule=Sequential()) -> MultitaskSampler:
    return MultitaskSampler({"sst": 20, "quora": 40}, {"sst": 4, "quora": 4}, schedule, seed=3)


def test_the_sampler_repeats_a_reduced_epoch_and_resumes_inside_it():
    sampler, again = build(), build()
    for one in (sampler, again):
        one.set_shares({"quora": 0.25})
        one.set_epoch(2)
    whole = [(batch.stream, batch.rows.tolist()) for batch in sampler]
    assert [task for task, _ in whole] == again.plan(2)
    assert [task for task, _ in whole].count("quora") == 5  # 1 + 13 * 2.5 / 7.5
    again.resume(2, 9)
    assert [(batch.stream, batch.rows.tolist()) for batch in again] == whole[9:]


def test_without_shares_the_order_is_that_of_the_schedule():
    plain, reduced = build(), build()
    reduced.set_shares({"quora": 0.25})
    reduced.set_shares({})
    assert reduced.plan(1) == plain.plan(1)
    assert reduced.plan(1) != (reduced.set_shares({"quora": 0.25}), reduced.plan(1))[1]


def test_a_stage_of_one_task_stays_alone():
    sampler = build(Staged("quora"))
    sampler.set_shares({"quora": 0.1})
    assert set(sampler.plan(0)) == {"quora"}
    assert set(sampler.plan(1)) == {"sst", "quora"}
