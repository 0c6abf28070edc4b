import pytest
import torch
from torch import tensor
from torch.testing import assert_close

from heads import Trunk, TrunkSettings


def test_a_shared_vector_by_hand():
    trunk = Trunk(2, TrunkSettings(size=2)).eval()
    first, second = trunk.layers[1], trunk.layers[4]
    first.weight.data, first.bias.data = tensor([[1.0, 1.0], [1.0, -1.0]]), tensor([0.0, 1.0])
    second.weight.data, second.bias.data = tensor([[1.0, 1.0], [0.0, 2.0]]), tensor([0.0, -1.0])
    pooled = tensor([[[1.0, 2.0], [1.0, -3.0]]])  # hidden [3, 0] and [-2, 5], of which ReLU leaves [0, 5]
    assert_close(trunk(pooled), tensor([[[1.0, 2.0, 3.0, -1.0], [1.0, -3.0, 5.0, 9.0]]]))


def test_dropout_leaves_the_pooled_vector_as_it_is():
    torch.manual_seed(0)
    trunk = Trunk(16, TrunkSettings(size=8, dropout=0.5)).train()
    pooled = torch.randn(4, 2, 16)
    first, second = trunk(pooled), trunk(pooled)
    assert first.shape == (4, 2, 24)
    assert torch.equal(first[..., :16], pooled)
    assert not torch.equal(first[..., 16:], second[..., 16:])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 0}, r"trunk\.size is 0 \(expected 1 or more\)"),
        ({"dropout": 1.0}, r"trunk\.dropout is 1\.0 \(expected 0 to less than 1\)"),
        ({"dropout": -0.1}, r"trunk\.dropout is -0\.1"),
    ],
)
def test_a_shape_out_of_range_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        TrunkSettings(**settings)
