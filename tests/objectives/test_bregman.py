import math

import pytest
import torch

from heads.divergences import class_divergence, score_divergence
from objectives import BregmanProximalPoint, ForwardPass, RandomState


def passes(now: torch.Tensor, past: torch.Tensor | None, divergence=score_divergence) -> ForwardPass:
    return ForwardPass(
        output=now,
        forward=lambda perturbation: now,
        embedded_shape=(1, 1),
        loss=torch.Tensor.sum,
        divergence=divergence,
        random_state=RandomState.take(torch.device("cpu")),
        forward_with_past=None if past is None else lambda: past,
    )


def test_scores_by_hand():
    now, past = torch.tensor([1.0, 3.0], requires_grad=True), torch.tensor([2.0, 1.0])
    penalty = BregmanProximalPoint(weight=0.5).penalty(passes(now, past))
    assert penalty.item() == pytest.approx(0.5 * (1 + 4) / 2)
    penalty.backward()
    assert now.grad.tolist() == pytest.approx([-0.5, 1.0])


def test_classes_by_hand():
    now = torch.tensor([[math.log(0.8), math.log(0.2)]])
    past = torch.tensor([[math.log(0.5), math.log(0.5)]])
    one = 0.8 * math.log(0.8 / 0.5) + 0.2 * math.log(0.2 / 0.5)
    other = 0.5 * math.log(0.5 / 0.8) + 0.5 * math.log(0.5 / 0.2)
    assert BregmanProximalPoint().penalty(passes(now, past, class_divergence)).item() == pytest.approx(one + other)


def test_the_past_pass_has_the_same_masks_and_no_gradients():
    weights = torch.ones(8, requires_grad=True)
    state = RandomState.take(torch.device("cpu"))
    drop = torch.nn.Dropout(0.5)
    clean = ForwardPass(
        output=drop(weights),
        forward=lambda perturbation: drop(weights),
        embedded_shape=(1, 8),
        loss=torch.Tensor.sum,
        divergence=score_divergence,
        random_state=state,
        forward_with_past=lambda: drop(weights),
    )
    past = clean.repeat_with_past()
    assert torch.equal(past, clean.output)
    assert not past.requires_grad


def test_without_past_weights_it_says_what_is_missing():
    with pytest.raises(ValueError, match="there are no past weights"):
        BregmanProximalPoint().penalty(passes(torch.zeros(1), None))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weight": -1.0}, "BregmanProximalPoint: weight is -1.0"),
        ({"decay": 1.0}, "BregmanProximalPoint: decay is 1.0"),
        ({"decay": 0.0}, "BregmanProximalPoint: decay is 0.0"),
    ],
)
def test_numbers_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        BregmanProximalPoint(**settings)
