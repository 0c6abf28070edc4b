import pytest
import torch
from torch import nn
from torch.nn import functional as F
from transformers import BertConfig, BertModel

from backbones.attention import attend_padded
from backbones.dropout import BitDropout, bit_dropout, use_bit_dropout


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_each_element_drops_alike_and_the_mean_stays(probability: float, dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    ones = torch.ones(4001, 101, dtype=dtype)
    result = bit_dropout(ones, probability)
    assert result.dtype == dtype
    kept = result != 0
    scaled = torch.tensor([1 / (1 - probability)], dtype=dtype)
    torch.testing.assert_close(result[kept].unique(), scaled, rtol=1e-4, atol=0)  # rounded to 1 / 65,536
    error = (probability * (1 - probability) / kept.numel()) ** 0.5  # standard deviation of the share
    assert (kept.float().mean() - (1 - probability)).abs() < 5 * error
    shares = torch.stack([kept.flatten()[lane::4].float().mean() for lane in range(4)])  # four elements a number
    assert (shares - (1 - probability)).abs().max() < 10 * error
    neighbours = (kept[:, 1:] == kept[:, :-1]).float().mean()
    assert (neighbours - (probability**2 + (1 - probability) ** 2)).abs() < 5 * error


def test_the_gradient_passes_where_the_value_did() -> None:
    torch.manual_seed(2)
    values = torch.randn(33, 7, requires_grad=True)
    result = bit_dropout(values, 0.25)
    result.sum().backward()
    assert values.grad is not None
    torch.testing.assert_close(values.grad, result.detach() / values.detach())
    torch.testing.assert_close(values.grad.unique(), torch.tensor([0, 1 / 0.75]))


def test_the_seed_decides_what_drops() -> None:
    values = torch.ones(50, 50)
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(bit_dropout(values, 0.1))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


@pytest.mark.parametrize(("probability", "kept"), [(0.0, 1.0), (1.0, 0.0)])
def test_nothing_or_everything_drops(probability: float, kept: float) -> None:
    assert torch.equal(bit_dropout(torch.ones(9), probability), torch.full((9,), kept))


def test_a_model_keeps_its_weights_and_probabilities() -> None:
    config = BertConfig(
        vocab_size=30, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        hidden_dropout_prob=0.3,
    )  # fmt: skip
    bert = BertModel(config)
    names = list(bert.state_dict())
    use_bit_dropout(bert)
    assert list(bert.state_dict()) == names
    replaced = [module for module in bert.modules() if isinstance(module, BitDropout)]
    assert len(replaced) == 7  # embeddings; attention weights, attention output and output of both layers
    assert [module.p for module in replaced].count(0.3) == 5
    assert not [module for module in bert.modules() if type(module) is nn.Dropout]
    hidden = torch.ones(3, 4)
    assert torch.equal(replaced[0].eval()(hidden), hidden)


@pytest.mark.parametrize("masked", [True, False])
def test_attention_step_by_step_is_that_of_pytorch(masked: bool) -> None:
    torch.manual_seed(3)
    query, key, value = (torch.randn(5, 2, 6, 8, requires_grad=True) for _ in range(3))
    mask = (torch.arange(6) < torch.tensor([6, 1, 3, 5, 2])[:, None])[:, None, None, :] if masked else None
    gradients = []
    for attend in (
        attend_padded(query, key, value, mask=mask, dropout=1e-7),  # too little to drop anything
        F.scaled_dot_product_attention(query, key, value, attn_mask=mask),
    ):
        gradients.append([attend, *torch.autograd.grad(attend.square().sum(), (query, key, value))])
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-5)
