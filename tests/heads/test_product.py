import math

import pytest
import torch
from torch import tensor
from torch.nn import functional as F
from torch.testing import assert_close

from heads import Classes, ConcatProductHead, LabelSpace, ProductHead, Scores, YesNo

YES_NO, STARS, THREE = YesNo(), Scores(0, 5), Classes(3)
PAIR = tensor([[[1.0, 2.0], [3.0, -1.0]]])  # (B, S, H)


def product_head(labels: LabelSpace) -> ProductHead:
    """Return the head whose output is 2 * a . b."""
    head = ProductHead(2, labels).eval()
    for layer, weight in ((head.first, torch.eye(2)), (head.second, 2 * torch.eye(2)), (head.linear, torch.ones(1, 2))):
        layer.weight.data = weight
        layer.bias.data.zero_()
    return head


def test_product_head_learns_yes_no_by_the_absolute_difference_to_the_sigmoid():
    head = product_head(YES_NO)
    output = head(PAIR)
    sigmoid = 1 / (1 + math.exp(-2))  # 2 * (1 * 3 - 2 * 1) = 2
    assert_close(output, tensor([2.0]))
    assert_close(head.loss(output, tensor([1])), tensor(1 - sigmoid))
    assert_close(head.loss(output, tensor([0])), tensor(sigmoid))
    assert head.predict(output).tolist() == [1]
    assert_close(head.probabilities(output), tensor([[1 - sigmoid, sigmoid]]))


def test_product_head_learns_scores_by_the_absolute_difference():
    head = product_head(STARS)
    output = head(PAIR)
    score = 5 / (1 + math.exp(-2))
    assert_close(output, tensor([score]))
    assert_close(head.loss(output, tensor([1.5])), tensor(score - 1.5))
    assert_close(head.predict(output), output)
    assert head.probabilities(output) is None


def test_product_head_projects_each_side_by_itself():
    torch.manual_seed(0)
    head = ProductHead(16, YES_NO).eval()
    pooled = torch.randn(4, 2, 16)
    first = F.linear(pooled[:, 0], head.first.weight, head.first.bias)
    second = F.linear(pooled[:, 1], head.second.weight, head.second.bias)
    assert_close(head(pooled), F.linear(first * second, head.linear.weight, head.linear.bias)[:, 0])
    assert not torch.allclose(head(pooled), head(pooled.flip(1)))


def test_concat_product_head_by_hand():
    head = ConcatProductHead(2, YES_NO, projection_size=1).eval()
    head.project.weight.data, head.project.bias.data = torch.ones(1, 2), torch.zeros(1)
    head.linear.weight.data, head.linear.bias.data = tensor([[1.0, 1.0, 1.0, 1.0, 0.5]]), tensor([-7.0])
    output = head(PAIR)
    assert_close(output, tensor([1.0]))  # [1, 2, 3, -1] sums to 5, plus half of (1 + 2) * (3 - 1), minus 7
    assert_close(head.loss(output, tensor([0])), tensor(math.log(1 + math.e)))
    assert head.predict(output).tolist() == [1]
    assert_close(head.probabilities(output)[0, 1], tensor(1 / (1 + math.exp(-1))))


@pytest.mark.parametrize("labels", [YES_NO, THREE])
def test_concat_product_head_equals_the_formula(labels):
    torch.manual_seed(0)
    head = ConcatProductHead(16, labels, projection_size=4).eval()
    first, second = torch.randn(3, 16), torch.randn(3, 16)
    product = head.project(first) * head.project(second)
    expected = head.linear(torch.cat([first, second, product], dim=1))
    output = head(torch.stack([first, second], dim=1))
    assert_close(output, expected[:, 0] if labels is YES_NO else expected)


def test_concat_product_head_gives_a_bounded_score():
    torch.manual_seed(0)
    output = ConcatProductHead(16, STARS).eval()(torch.randn(8, 2, 16) * 100)
    assert output.shape == (8,)
    assert ((output >= 0) & (output <= 5)).all()


def test_concat_product_head_projects_to_128_by_default():
    assert ConcatProductHead(16, YES_NO).linear.in_features == 2 * 16 + 128


def test_product_head_has_no_classes():
    with pytest.raises(ValueError, match="ProductHead predicts yes/no labels or scores, but the task has classes"):
        ProductHead(2, THREE)
