import torch

from heads import Classes, Scores
from objectives import Fixed, StepId


def test_a_single_loss_stays_as_it_is_and_several_are_added():
    weighting = Fixed({"sst": Classes(5), "sts": Scores(0, 5)})
    loss = torch.tensor(1.5)
    assert weighting({"sst": loss}, StepId()) is loss
    assert weighting({"sst": loss, "sts": torch.tensor(2.0)}, StepId()).item() == 3.5
    assert weighting.factors(StepId()) == {"sst": 1.0, "sts": 1.0}
    assert weighting.state_dict() == {}
