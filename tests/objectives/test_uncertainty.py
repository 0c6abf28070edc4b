import math

import pytest
import torch

from heads import Classes, Scores
from objectives import StepId, Uncertainty


def build() -> Uncertainty:
    weighting = Uncertainty({"sst": Classes(5), "sts": Scores(0, 5)}, lr=0.1)
    for task, value in (("sst", math.log(2.0)), ("sts", math.log(4.0))):
        weighting.log_variances[task].data.fill_(value)
    return weighting


def test_the_loss_by_hand_alone_and_joint():
    weighting, losses = build(), {"sst": torch.tensor(3.0), "sts": torch.tensor(8.0)}
    by_hand = {"sst": 3.0 / 2 + math.log(2.0) / 2, "sts": 8.0 / (2 * 4) + math.log(4.0) / 2}
    for task, loss in losses.items():
        assert weighting({task: loss}, StepId()).item() == pytest.approx(by_hand[task])
    assert weighting(losses, StepId()).item() == pytest.approx(sum(by_hand.values()))


def test_another_tasks_variance_rests():
    weighting = build()
    weighting({"sst": torch.tensor(3.0)}, StepId()).backward()
    assert weighting.log_variances["sst"].grad.item() == pytest.approx(-3.0 / 2 + 0.5)
    assert weighting.log_variances["sts"].grad is None


@pytest.mark.parametrize(("task", "settled"), [("sst", 2 * 0.7), ("sts", 0.7)])
def test_the_variance_settles_where_the_gradient_is_zero(task, settled):
    weighting = Uncertainty({"sst": Classes(5), "sts": Scores(0, 5)})
    optimizer = torch.optim.SGD(weighting.parameters(), lr=0.5)
    for _ in range(200):
        optimizer.zero_grad()
        weighting({task: torch.tensor(0.7)}, StepId()).backward()
        optimizer.step()
    assert weighting.log_variances[task].exp().item() == pytest.approx(settled, rel=1e-4)


def test_the_group_has_a_rate_of_its_own_and_no_decay():
    (group,) = build().parameter_groups()
    assert (group["lr"], group["weight_decay"], len(group["params"])) == (0.1, 0.0, 2)


def test_a_negative_rate_is_refused():
    with pytest.raises(ValueError, match=r"Uncertainty: lr is -1.0"):
        Uncertainty({"sst": Classes(5)}, lr=-1.0)
