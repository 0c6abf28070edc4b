import math
from typing import Any

import pytest
import torch
from torch import nn, tensor
from torch.testing import assert_close

from heads import (
    Classes,
    LinearHead,
    Scores,
    TrunkCosineHead,
    TrunkLinearHead,
    TrunkProductHead,
    YesNo,
    check_trunk,
)

FIVE, YES_NO, STARS = Classes(5), YesNo(), Scores(0, 5)
SMALL: dict[str, Any] = {"projection_size": 1, "trunk_size": 1}


def set_layer(layer: nn.Linear, weight: list[list[float]], bias: list[float]) -> None:
    layer.weight.data, layer.bias.data = tensor(weight), tensor(bias)


def test_linear_head_by_hand():
    head = TrunkLinearHead(3, YES_NO, **SMALL).eval()
    set_layer(head.own.linear, [[1.0, -1.0]], [0.0])
    set_layer(head.linear, [[2.0, 3.0]], [-1.0])
    joined = tensor([[[3.0, 1.0, -4.0]], [[1.0, 3.0, 2.0]]])  # pooled [3, 1], shared -4; pooled [1, 3], shared 2
    output = head(joined)
    assert_close(
        output, tensor([3.0, 5.0])
    )  # own 2 counts twice, -4 is cut; own -2 is cut, shared 2 counts three times
    assert_close(head.loss(output, tensor([1, 1])), tensor((math.log1p(math.exp(-3)) + math.log1p(math.exp(-5))) / 2))


def test_product_head_by_hand():
    head = TrunkProductHead(3, YES_NO, **SMALL).eval()
    set_layer(head.own.linear, [[1.0, 1.0]], [0.0])
    set_layer(head.join, [[1.0, 0.0, 0.0, 1.0, 0.5]], [0.0])
    set_layer(head.linear, [[1.0, 10.0]], [0.25])
    pair = tensor([[[1.0, 2.0, 3.0], [3.0, -1.0, 2.0]]])  # [e1, e2] = [1, 2, 3, -1], d1 d2 = 3 * 2, shared 3 * 2
    assert_close(head(pair), tensor([6.0 + 10 * (1 - 1 + 3.0) + 0.25]))
    opposite = pair * tensor([1.0, 1.0, -1.0])
    opposite[:, 1, 2] = 2.0  # shared -3 * 2, which ReLU cuts
    assert_close(head(opposite), tensor([30.25]))


def test_cosine_head_by_hand():
    head = TrunkCosineHead(3, STARS, **SMALL).eval()
    set_layer(head.own.linear, [[1.0, 1.0]], [0.0])
    pair = tensor([[[1.0, 2.0, 4.0], [2.0, 2.0, -3.0]], [[1.0, 2.0, 4.0], [3.0, 0.0, 4.0]]])
    assert_close(head(pair), tensor([0.0, 5.0]))  # [3, 4] and [4, -3] are orthogonal, [3, 4] and [3, 4] equal
    assert_close(head.loss(head(pair), tensor([1.0, 5.0])), tensor(0.5))


@pytest.mark.parametrize("labels", [FIVE, YES_NO, STARS], ids=repr)
def test_product_head_equals_the_formula(labels):
    torch.manual_seed(0)
    head = TrunkProductHead(24, labels, projection_size=4, trunk_size=8).eval()
    joined = torch.randn(3, 2, 24)
    first, second = joined[:, 0, :16], joined[:, 1, :16]
    beside = torch.cat([first, second, head.own.linear(first) * head.own.linear(second)], dim=1)
    shared = joined[:, 0, 16:] * joined[:, 1, 16:]
    expected = head.linear(torch.cat([shared, head.join(beside)], dim=1).clamp_min(0))
    found = {FIVE: expected, YES_NO: expected[:, 0], STARS: 5 * expected[:, 0].sigmoid()}[labels]
    assert_close(head(joined), found)


def test_the_layers_have_the_sizes_of_the_report():
    sst, quora, sts = (
        TrunkLinearHead(768 + 128, FIVE),
        TrunkProductHead(768 + 128, YES_NO),
        TrunkCosineHead(768 + 128, STARS),
    )
    assert [head.own.linear.weight.shape for head in (sst, quora, sts)] == [(256, 768)] * 3
    assert sst.linear.weight.shape == (5, 384)
    assert quora.join.weight.shape == (128, 1792)
    assert quora.linear.weight.shape == (1, 256)


def test_dropout_leaves_the_shared_vector_alone():
    head = TrunkLinearHead(24, FIVE, dropout=0.999999, trunk_size=8).train()
    joined = torch.randn(4, 24)
    pooled, own, shared = head.own(joined)
    assert not pooled.any()
    assert_close(own, head.own.linear.bias.expand(4, -1))
    assert torch.equal(shared, joined[:, 16:])


def test_a_head_without_a_trunk_of_its_size_is_refused():
    head = TrunkLinearHead(24, FIVE, trunk_size=8)
    check_trunk(head, 8)
    check_trunk(LinearHead(24, FIVE), 8)
    check_trunk(LinearHead(16, FIVE), None)
    with pytest.raises(
        ValueError, match=r"TrunkLinearHead reads a shared vector of size 8, but there is none \(expected"
    ):
        check_trunk(head, None)
    with pytest.raises(ValueError, match=r"of size 8, but its size is 16"):
        check_trunk(head, 16)


def test_a_shared_vector_larger_than_what_is_read_is_refused():
    with pytest.raises(ValueError, match=r"trunk_size is 128, but pooled and shared vector together have 16"):
        TrunkCosineHead(16, STARS)
