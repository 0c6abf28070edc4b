import numpy as np
import pytest
import torch

from heads import Classes, Scores, YesNo
from objectives import RandomWeights, StepId

TASKS = {"sst": Classes(5), "quora": YesNo(), "sts": Scores(0, 5)}


def test_weights_are_a_scaled_softmax_of_the_steps_numbers():
    step_id = StepId(seed=7, epoch=1, step=3)
    powers = np.exp(step_id.draw("weighting").standard_normal(3))
    found = [factor.item() for factor in RandomWeights(TASKS).factors(step_id).values()]
    assert found == pytest.approx(list(3 * powers / powers.sum()), rel=1e-6)


def test_batches_of_one_step_share_their_weights_and_other_steps_have_others():
    weighting, losses = RandomWeights(TASKS), {task: torch.tensor(1.0) for task in TASKS}
    parts = [weighting({task: loss}, StepId(step=5)).item() for task, loss in losses.items()]
    assert sum(parts) == pytest.approx(3.0)
    assert weighting(losses, StepId(step=5)).item() == pytest.approx(3.0)
    assert weighting({"sst": losses["sst"]}, StepId(step=6)).item() != parts[0]


def test_weights_are_one_on_average():
    factors = [RandomWeights(TASKS).factors(StepId(step=step))["sts"].item() for step in range(2000)]
    assert np.mean(factors) == pytest.approx(1.0, abs=0.05)
    assert np.std(factors) > 0.3
