"""Pooling over packed sequences."""

import torch
from torch import Tensor


def mean_pool(hidden: Tensor, sequence_ids: Tensor, cu_seqlens: Tensor) -> Tensor:
    """Average the hidden states of each sequence.

    On a CUDA device the sums are taken segment by segment in float32: index_add adds there in an order that changes
    from run to run.

    Args:
        hidden: Hidden states of all tokens end to end, (T, H).
        sequence_ids: Sequence of each token, (T,).
        cu_seqlens: Start of each sequence, then T, (N+1,).

    Returns:
        One vector a sequence, (N, H).

    Source: Reimers & Gurevych 2019, section 3, https://arxiv.org/abs/1908.10084

    Example:
        >>> mean_pool(torch.tensor([[1.0], [3.0], [7.0]]), torch.tensor([0, 0, 1]), torch.tensor([0, 2, 3])).tolist()
        [[2.0], [7.0]]
    """
    lengths = cu_seqlens.diff()
    if hidden.is_cuda:
        return segment_mean(hidden, lengths)
    sums = hidden.new_zeros(lengths.shape[0], hidden.shape[1]).index_add(0, sequence_ids, hidden)
    return sums / lengths[:, None]


def segment_mean(hidden: Tensor, lengths: Tensor) -> Tensor:
    """Average the hidden states of each sequence, with sums in a fixed order on every device.

    Args:
        hidden: Hidden states of all tokens end to end, (T, H).
        lengths: Tokens of each sequence, (N,).

    Returns:
        One vector a sequence, (N, H).
    """
    sums = torch.segment_reduce(hidden.float(), "sum", lengths=lengths, unsafe=True)  # unsafe: does not look at lengths
    return (sums / lengths[:, None]).to(hidden.dtype)
