import math

import pytest
import torch
from torch.nn import functional as F

from heads import ClassOutput
from heads.continuation_ratio import ContinuationRatioOutput
from heads.divergences import binary_divergence, class_divergence, probability_divergence, score_divergence
from heads.one_vs_all import OneVsAllOutput


def test_class_divergence_by_hand():
    one, other = torch.tensor([[0.5, 0.5], [0.5, 0.5]]).log(), torch.tensor([[0.25, 0.75], [0.5, 0.5]]).log()
    by_hand = (0.5 - 0.25) * math.log(0.5 / 0.25) + (0.5 - 0.75) * math.log(0.5 / 0.75)
    assert class_divergence(one, other).item() == pytest.approx(by_hand / 2)  # mean of two rows, one of them equal


def test_class_divergence_is_the_sum_of_both_kullback_leibler_divergences():
    generator = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, 7, 5, generator=generator)
    first, second = one.log_softmax(1), other.log_softmax(1)
    expected = F.kl_div(first, second, log_target=True, reduction="batchmean") + F.kl_div(
        second, first, log_target=True, reduction="batchmean"
    )
    assert class_divergence(one, other).item() == pytest.approx(expected.item(), rel=1e-5)


def test_binary_divergence_is_that_of_two_classes():
    generator = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, 9, generator=generator)
    pairs = [torch.stack([torch.zeros(9), logits], dim=1) for logits in (one, other)]
    assert binary_divergence(one, other).item() == pytest.approx(class_divergence(*pairs).item(), rel=1e-5)


def test_binary_divergence_is_the_symmetric_cross_entropy_less_the_entropies():
    one, other = torch.tensor([0.3, -1.2]), torch.tensor([1.1, -0.4])
    cross = F.binary_cross_entropy_with_logits

    def entropies(logits: torch.Tensor) -> torch.Tensor:
        return cross(logits, logits.sigmoid())

    expected = cross(one, other.sigmoid()) + cross(other, one.sigmoid()) - entropies(one) - entropies(other)
    assert binary_divergence(one, other).item() == pytest.approx(expected.item(), rel=1e-4)


def test_score_divergence_is_the_mean_squared_difference():
    assert score_divergence(torch.tensor([1.0, 4.0]), torch.tensor([3.0, 4.0])).item() == 2.0


@pytest.mark.parametrize(
    ("divergence", "shape"), [(class_divergence, (4, 3)), (binary_divergence, (4,)), (score_divergence, (4,))]
)
def test_every_divergence_is_zero_for_equal_outputs_symmetric_and_float32(divergence, shape):
    one, other = torch.randn(2, *shape, generator=torch.Generator().manual_seed(1)).bfloat16()
    assert divergence(one, one).item() == 0.0
    assert divergence(one, other).item() == divergence(other, one).item() > 0
    assert divergence(one, other).dtype == torch.float32


def test_the_divergence_of_probabilities_is_that_of_their_logits():
    one, other = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(2))
    found = probability_divergence(one.softmax(1), other.softmax(1))
    assert found.item() == pytest.approx(class_divergence(one, other).item(), rel=1e-5)


def test_the_divergence_of_probabilities_is_finite_where_one_is_zero():
    assert probability_divergence(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.5, 0.5]])).isfinite()


@pytest.mark.parametrize(
    "output", [ClassOutput(4), OneVsAllOutput(4), ContinuationRatioOutput(4)], ids=lambda output: type(output).__name__
)
def test_every_output_of_classes_has_the_divergence_of_its_probabilities(output):
    one, other = torch.randn(2, 5, output.num_values, generator=torch.Generator().manual_seed(3))
    expected = class_divergence(output.probabilities(one).log(), output.probabilities(other).log())
    assert output.divergence(one, other).item() == pytest.approx(expected.item(), rel=1e-5)
