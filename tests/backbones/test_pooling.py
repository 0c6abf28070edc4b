import pytest
import torch
from torch.nn import functional as F

from backbones.pooling import mean_pool, segment_mean


def test_mean_of_each_sequence_by_hand() -> None:
    hidden = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 0.0], [7.0, 8.0]])
    pooled = mean_pool(hidden, torch.tensor([0, 0, 0, 1]), torch.tensor([0, 3, 4]))

    assert pooled.tolist() == [[3.0, 2.0], [7.0, 8.0]]


@pytest.mark.parametrize("lengths", [[4], [3, 3, 3], [1, 9, 2, 1]])
def test_mean_equals_the_masked_mean_over_padding(lengths: list[int]) -> None:
    sequences = [torch.randn(length, 5, dtype=torch.float64) for length in lengths]
    padded = torch.nn.utils.rnn.pad_sequence(sequences, batch_first=True, padding_value=100.0)
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).double()
    expected = (padded * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)

    sequence_ids = torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths))
    starts = F.pad(torch.tensor(lengths).cumsum(0), (1, 0))
    pooled = mean_pool(torch.cat(sequences), sequence_ids, starts)

    torch.testing.assert_close(pooled, expected, rtol=0, atol=1e-14)


def test_gradient_of_the_mean_is_one_over_the_length() -> None:
    hidden = torch.zeros(3, 1, requires_grad=True)
    mean_pool(hidden, torch.tensor([0, 0, 1]), torch.tensor([0, 2, 3])).sum().backward()

    assert hidden.grad is not None
    assert hidden.grad.flatten().tolist() == [0.5, 0.5, 1.0]


def test_segment_means_equal_mean_pooling_forward_and_backward() -> None:
    """The path of CUDA devices, on the CPU."""
    lengths = torch.tensor([3, 1, 7, 2])
    starts = torch.nn.functional.pad(lengths.cumsum(0), (1, 0))
    sequence_ids = torch.arange(4).repeat_interleave(lengths)
    hidden = torch.randn(13, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()
    weights = torch.linspace(-1, 1, 20).view(4, 5)

    expected = mean_pool(hidden, sequence_ids, starts)
    (expected * weights).sum().backward()
    expected_gradient, hidden.grad = hidden.grad, None
    found = segment_mean(hidden, lengths)
    (found * weights).sum().backward()

    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(hidden.grad, expected_gradient)
    assert segment_mean(hidden.bfloat16(), lengths).dtype == torch.bfloat16
