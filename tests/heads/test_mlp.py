import pytest
import torch
from torch import tensor
from torch.nn import functional as F
from torch.testing import assert_close

from heads import Classes, MlpHead, Scores, YesNo

YES_NO, STARS, FIVE = YesNo(), Scores(0, 5), Classes(5)


def test_a_hidden_layer_by_hand():
    head = MlpHead(2, YES_NO, size=2).eval()
    head.hidden.weight.data, head.hidden.bias.data = tensor([[1.0, 1.0], [1.0, -1.0]]), tensor([0.0, -1000.0])
    head.linear.weight.data, head.linear.bias.data = tensor([[2.0, 5.0]]), tensor([0.5])
    output = head(tensor([[[1.0, 0.0]]]))
    assert_close(
        output, tensor([2 * 0.841344746 + 0.5])
    )  # gelu(1) = the normal distribution's P(x < 1); gelu(-999) = 0
    assert head.predict(output).tolist() == [1]


@pytest.mark.parametrize("labels", [FIVE, YES_NO, STARS], ids=repr)
def test_the_output_is_that_of_torch(labels):
    torch.manual_seed(0)
    head = MlpHead(16, labels).eval()
    pooled = torch.randn(4, 1, 16)
    reference = torch.nn.Sequential(head.hidden, torch.nn.GELU(), head.linear)(pooled[:, 0])
    expected = {FIVE: reference, YES_NO: reference[:, 0], STARS: 5 * reference[:, 0].sigmoid()}[labels]
    assert head.hidden.out_features == 256
    assert_close(head(pooled), expected)


def test_dropout_acts_before_both_layers():
    torch.manual_seed(0)
    head = MlpHead(16, FIVE, dropout=0.999999).train()
    assert_close(head(torch.randn(3, 1, 16)), head.linear.bias.expand(3, 5))
    head.hidden.bias.data.fill_(3.0)
    assert_close(head(torch.zeros(3, 1, 16)), head.linear.bias.expand(3, 5))
    assert not torch.allclose(head.eval()(torch.zeros(1, 1, 16)), head.linear.bias)
    assert_close(head(torch.zeros(1, 1, 16)), head.linear(F.gelu(torch.full((1, 256), 3.0))))
