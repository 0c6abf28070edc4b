import math

import pytest
import torch

from heads import Classes, Scores
from objectives import DynamicWeightAverage, StepId

TASKS = {"sst": Classes(5), "sts": Scores(0, 5)}
LOSSES = {"sst": ((4.0, 2.0), (3.0, 3.0)), "sts": ((2.0, 2.0), (1.0, 0.0))}  # means 3 and 3; 2 and 0.5


def follow(weighting: DynamicWeightAverage, epochs: range) -> None:
    for epoch in epochs:
        for task, losses in LOSSES.items():
            for loss in losses[epoch % 2]:
                weighting.record(task, torch.tensor(loss), epoch)


def test_weights_are_one_for_two_epochs_and_then_follow_the_ratios_by_hand():
    weighting = DynamicWeightAverage(TASKS, temperature=2.0)
    for epoch in (0, 1):
        assert [factor.item() for factor in weighting.factors(StepId(epoch=epoch)).values()] == [1.0, 1.0]
        follow(weighting, range(epoch, epoch + 1))
    sst, sts = math.exp(1.0 / 2), math.exp(0.25 / 2)
    factors = weighting.factors(StepId(epoch=2))
    assert factors["sst"].item() == pytest.approx(2 * sst / (sst + sts))
    assert factors["sts"].item() == pytest.approx(2 * sts / (sst + sts))
    joint = weighting({"sst": torch.tensor(1.0), "sts": torch.tensor(10.0)}, StepId(epoch=2))
    assert joint.item() == pytest.approx(2 * (sst + 10 * sts) / (sst + sts))


def test_state_saved_inside_an_epoch_gives_the_same_weights():
    whole, first = DynamicWeightAverage(TASKS), DynamicWeightAverage(TASKS)
    follow(whole, range(3))
    follow(first, range(2))
    first.record("sst", torch.tensor(4.0), 2)
    resumed = DynamicWeightAverage(TASKS)
    resumed.load_state_dict(first.state_dict())
    resumed.record("sst", torch.tensor(2.0), 2)
    for loss in LOSSES["sts"][0]:
        resumed.record("sts", torch.tensor(loss), 2)
    assert resumed.factors(StepId(epoch=3)) == whole.factors(StepId(epoch=3))
    assert whole.factors(StepId(epoch=3))["sst"] != 1.0


def test_a_task_that_rested_and_a_loss_that_is_no_number_count_as_nothing():
    weighting = DynamicWeightAverage(TASKS)
    for epoch, losses in enumerate(((4.0, 4.0), (2.0, math.nan))):
        for loss in losses:
            weighting.record("sst", torch.tensor(loss), epoch)
    half, one = math.exp(0.5 / 2), math.exp(1.0 / 2)
    assert weighting.factors(StepId(epoch=2))["sst"].item() == pytest.approx(2 * half / (half + one))


def test_a_temperature_of_zero_is_refused():
    with pytest.raises(ValueError, match=r"DynamicWeightAverage: temperature is 0 \(expected more than 0\)"):
        DynamicWeightAverage(TASKS, temperature=0)
