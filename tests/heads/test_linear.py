import math

import pytest
import torch
from torch import tensor
from torch.nn import functional as F
from torch.testing import assert_close

from heads import Classes, LabelSpace, LinearHead, Scores, YesNo
from heads.labels import classes_or_yes_no

POOLED = tensor([[[2.0, 1.0]], [[0.0, 3.0]]])  # (B, S, H)


def head_with(weight: list[list[float]], bias: list[float], labels: LabelSpace) -> LinearHead:
    head = LinearHead(2, labels).eval()
    head.linear.weight.data = tensor(weight, dtype=torch.float32)
    head.linear.bias.data = tensor(bias)
    return head


def test_classes_by_hand():
    head = head_with([[1, 0], [0, 1], [1, 1]], [0.0, 0.0, -2.0], Classes(3))
    output = head(POOLED)
    assert_close(output, tensor([[2.0, 1.0, 1.0], [0.0, 3.0, 1.0]]))
    first, second = math.log(1 + 2 * math.exp(-1)), math.log(1 + math.exp(-3) + math.exp(-2))
    assert_close(head.loss(output, tensor([0, 1])), tensor((first + second) / 2))
    assert head.predict(output).tolist() == [0, 1]
    assert_close(head.probabilities(output)[0, 0], tensor(1 / (1 + 2 * math.exp(-1))))


def test_yes_no_by_hand():
    head = head_with([[1, -1]], [0.5], YesNo())
    output = head(POOLED)
    assert_close(output, tensor([1.5, -2.5]))
    first, second = math.log(1 + math.exp(-1.5)), math.log(1 + math.exp(-2.5))
    assert_close(head.loss(output, tensor([1, 0])), tensor((first + second) / 2))
    assert head.predict(output).tolist() == [1, 0]
    assert_close(head.probabilities(output)[:, 1], tensor([1.5, -2.5]).sigmoid())


def test_score_is_five_times_the_sigmoid():
    head = head_with([[0, math.log(4)]], [0.0], Scores(0, 5))
    output = head(POOLED)
    assert_close(output, tensor([4.0, 5 * 64 / 65]))
    assert_close(head.loss(output[:1], tensor([3.0])), tensor(1.0))
    assert_close(head.predict(output), output)
    assert head.probabilities(output) is None


@pytest.mark.parametrize(("num_classes", "values"), [(2, 1), (3, 3), (5, 5)])
def test_output_equals_torch(num_classes, values):
    torch.manual_seed(0)
    head = LinearHead(16, classes_or_yes_no(num_classes)).eval()
    pooled = torch.randn(4, 1, 16)
    reference = F.linear(pooled.squeeze(1), head.linear.weight, head.linear.bias)
    assert reference.shape == (4, values)
    assert_close(head(pooled), reference.squeeze(1) if values == 1 else reference)
