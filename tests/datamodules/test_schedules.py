from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonargparse import ArgumentParser

from datamodules.schedules import (
    Annealed,
    Epoch,
    Joint,
    RoundRobin,
    RoundRobinShuffled,
    Schedule,
    Sequential,
    Shuffled,
    Staged,
    Temperature,
)

TASKS = ["sst", "quora", "sts", "nli", "cola"]
EACH_BATCH_ONCE = [Sequential(), Shuffled(), RoundRobinShuffled(), Temperature(1.0)]
ALL = [
    *EACH_BATCH_ONCE,
    RoundRobin("shortest"),
    RoundRobin("longest"),
    Joint(),
    Joint("longest"),
    Temperature(0.0),
    Temperature(),
    Annealed(),
    Staged("sst"),
    Staged("sst", epochs=2, then=RoundRobin("longest")),
]
batch_counts = st.lists(st.integers(1, 60), min_size=1, max_size=5)


def order(
    schedule: Schedule, batches: list[int], *, epoch: int = 0, max_epochs: int | None = 3, seed: int = 0
) -> list[int]:
    rng = np.random.default_rng([seed, epoch])
    counts = dict(zip(TASKS, batches, strict=False))
    steps = schedule.order(Epoch(batches=counts, number=epoch, max_epochs=max_epochs, rng=rng))
    assert steps.dtype == np.int64
    return steps.tolist()


def shares(schedule: Schedule, batches: list[int], *, epoch: int = 0, max_epochs: int | None = 3) -> list[int]:
    return np.bincount(order(schedule, batches, epoch=epoch, max_epochs=max_epochs), minlength=len(batches)).tolist()


# Tables by hand


def test_sequential_goes_task_after_task():
    assert order(Sequential(), [2, 3, 1]) == [0, 0, 1, 1, 1, 2]


def test_round_robin_stops_with_the_shortest_task():
    assert order(RoundRobin(), [2, 5, 3]) == [0, 1, 2, 0, 1, 2]


def test_joint_has_a_batch_of_every_task_in_each_window():
    assert order(Joint(), [2, 5, 3]) == [0, 1, 2, 0, 1, 2]
    assert order(Joint("longest"), [1, 2]) == [0, 1, 0, 1]
    assert Joint().window(3) == Staged("sst", then=Joint()).window(3) == 3
    assert RoundRobin().window(3) == Staged("sst").window(3) == 1


def test_round_robin_goes_on_to_the_longest_task():
    assert order(RoundRobin("longest"), [1, 3, 2]) == [0, 1, 2, 0, 1, 2, 0, 1, 2]


def test_shuffled_mixes_all_batches_over_the_whole_epoch():
    steps = order(Shuffled(), [50, 50])
    assert steps != sorted(steps)
    assert sorted(steps) == [0] * 50 + [1] * 50
    assert 15 < sum(steps[:50]) < 35  # both halves hold about as many of each


def test_round_robin_shuffled_gives_each_round_its_fair_share():
    # R = 3 rounds. Shares of 7 batches: floor(7/3) = 2, floor(14/3) - 2 = 2, 7 - 4 = 3. Shares of 4: 1, 1, 2.
    steps = order(RoundRobinShuffled(), [3, 7, 4])
    rounds = [steps[:4], steps[4:8], steps[8:]]
    assert [sorted(tasks) for tasks in rounds] == [[0, 1, 1, 2], [0, 1, 1, 2], [0, 1, 1, 1, 2, 2]]


def test_round_robin_shuffled_does_not_repeat_one_order_in_every_round():
    steps = np.array(order(RoundRobinShuffled(), [40, 40, 40])).reshape(40, 3)
    assert len(np.unique(steps, axis=0)) == 6


@pytest.mark.parametrize(
    ("alpha", "expected"),
    [
        (1.0, [4, 36]),
        (0.5, [10, 30]),  # 2 : 6 of 40
        (0.0, [20, 20]),
    ],
)
def test_temperature_shares_the_steps_by_a_power_of_the_size(alpha: float, expected: list[int]):
    assert shares(Temperature(alpha), [4, 36]) == expected


def test_temperature_gives_left_over_steps_to_the_largest_remainders():
    # 1 : 2 : 3 of 14 steps: 2.33, 4.67, 7
    assert shares(Temperature(0.5), [1, 4, 9]) == [2, 5, 7]
    # 10 steps for 3 alike: a tie, settled for the earlier task
    assert shares(Temperature(0.0), [1, 1, 8]) == [4, 3, 3]


def test_annealed_goes_linearly_from_start_to_end():
    annealed = Annealed(start=1.0, end=0.0)
    assert [shares(annealed, [4, 36], epoch=epoch) for epoch in range(3)] == [[4, 36], [10, 30], [20, 20]]


def test_annealed_by_default_follows_stickland_and_murray():
    for epoch in range(25):
        alpha = 1 - 0.8 * epoch / 24
        assert shares(Annealed(), [30, 700, 200], epoch=epoch, max_epochs=25) == shares(
            Temperature(alpha), [30, 700, 200]
        )


def test_annealed_stays_at_the_start_in_a_single_epoch():
    assert shares(Annealed(), [4, 36], max_epochs=1) == [4, 36]


def test_staged_trains_one_task_first_and_then_mixes():
    staged = Staged("quora", epochs=2, then=Sequential())
    assert [order(staged, [2, 1], epoch=epoch) for epoch in range(4)] == [[1, 1, 1], [1, 1, 1], [0, 0, 1], [0, 0, 1]]


def test_staged_nests_into_more_stages_counted_from_the_start_of_the_training():
    staged = Staged("quora", epochs=1, then=Staged("sst", epochs=3, then=Sequential()))
    assert [order(staged, [2, 1], epoch=epoch) for epoch in range(4)] == [[1, 1, 1], [0, 0, 0], [0, 0, 0], [0, 0, 1]]


# Properties


@pytest.mark.parametrize("schedule", EACH_BATCH_ONCE, ids=repr)
@given(batches=batch_counts)
def test_every_batch_comes_once_an_epoch(schedule: Schedule, batches: list[int]):
    assert shares(schedule, batches) == batches


@pytest.mark.parametrize("schedule", ALL, ids=repr)
@given(batches=batch_counts, epoch=st.integers(0, 2))
def test_every_epoch_has_the_promised_number_of_steps(schedule: Schedule, batches: list[int], epoch: int):
    assert len(order(schedule, batches, epoch=epoch)) == schedule.num_steps(batches)


@given(batches=batch_counts, seed=st.integers(0, 1000))
def test_round_robin_shuffled_keeps_no_task_waiting_for_two_rounds(batches: list[int], seed: int):
    longest_round = sum(-(-n // min(batches)) for n in batches)
    steps = np.array(order(RoundRobinShuffled(), batches, seed=seed))
    for task in range(len(batches)):
        positions = np.flatnonzero(steps == task)
        assert positions[0] < longest_round
        assert len(steps) - positions[-1] <= longest_round
        assert np.diff(positions).max(initial=0) < 2 * longest_round


@given(batches=batch_counts, alpha=st.floats(0, 1))
def test_temperature_is_within_one_step_of_the_exact_share_and_leaves_no_task_out(batches: list[int], alpha: float):
    powers = np.array(batches, dtype=float) ** alpha
    steps = np.array(shares(Temperature(alpha), batches))
    assert steps.sum() == sum(batches)
    assert np.abs(steps - sum(batches) * powers / powers.sum()).max() < 1 + 1e-5
    assert steps.min() >= 1


@pytest.mark.parametrize("schedule", [Shuffled(), RoundRobinShuffled(), Temperature(), Annealed()], ids=repr)
def test_order_repeats_under_a_seed_and_differs_under_another(schedule: Schedule):
    assert order(schedule, [20, 30], seed=1) == order(schedule, [20, 30], seed=1)
    assert order(schedule, [20, 30], seed=1) != order(schedule, [20, 30], seed=2)


@pytest.mark.parametrize("schedule", ALL, ids=repr)
def test_schedules_are_immutable_values(schedule: Schedule):
    assert len({schedule, type(schedule)(**vars(schedule))}) == 1
    with pytest.raises(FrozenInstanceError):
        schedule.alpha = 1  # type: ignore[attr-defined]


# Errors


def test_alpha_outside_of_the_unit_interval_is_refused():
    with pytest.raises(ValueError, match=r"Temperature: alpha is 1\.5 \(expected a number in \[0, 1\]\)"):
        Temperature(1.5)
    with pytest.raises(ValueError, match="Temperature: alpha is nan"):
        Temperature(float("nan"))
    with pytest.raises(ValueError, match=r"Annealed: start is -0\.1"):
        Annealed(start=-0.1)
    with pytest.raises(ValueError, match="Annealed: end is 2"):
        Annealed(end=2)


@pytest.mark.parametrize("max_epochs", [None, -1])
def test_annealed_needs_a_known_end(max_epochs: int | None):
    with pytest.raises(ValueError, match=f"Annealed: trainer.max_epochs is {max_epochs} "):
        order(Annealed(), [2, 3], max_epochs=max_epochs)


def test_staged_names_the_known_tasks():
    with pytest.raises(ValueError, match=r"Staged: first is 'qora' \(expected one of the tasks: sst, quora\)"):
        order(Staged("qora"), [2, 3])


def test_staged_finds_what_is_wrong_with_a_later_stage_in_the_first_epoch():
    with pytest.raises(ValueError, match=r"Annealed: trainer\.max_epochs is None"):
        order(Staged("quora", epochs=5, then=Annealed()), [2, 3], max_epochs=None)


def test_a_stage_without_epochs_is_refused():
    with pytest.raises(ValueError, match=r"Staged: epochs is 0 \(expected at least 1\)"):
        Staged("sst", epochs=0)


def test_round_robin_refuses_an_unknown_stop():
    with pytest.raises(ValueError, match="RoundRobin: stop is 'middle'"):
        RoundRobin("middle")  # type: ignore[arg-type]


# Configuration


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("Shuffled", Shuffled()),
        ({"class_path": "RoundRobin", "init_args": {"stop": "longest"}}, RoundRobin("longest")),
        (
            {"class_path": "Staged", "init_args": {"first": "quora", "then": "Shuffled"}},
            Staged("quora", then=Shuffled()),
        ),
        ({"class_path": "Staged", "init_args": {"first": "quora"}}, Staged("quora", then=RoundRobinShuffled())),
    ],
)
def test_a_config_chooses_a_schedule_by_its_name(chosen: object, expected: Schedule):
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--schedule", type=Schedule, default=RoundRobinShuffled())
    assert parser.instantiate(parser.parse_object({"schedule": chosen})).schedule == expected
