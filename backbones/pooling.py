"""Pooling over packed sequences."""

from torch import Tensor


def mean_pool(hidden: Tensor, sequence_ids: Tensor, cu_seqlens: Tensor) -> Tensor:
    """Average the hidden states of each sequence.

    Args:
        hidden: Hidden states of all tokens end to end, (T, H).
        sequence_ids: Sequence of each token, (T,).
        cu_seqlens: Start of each sequence, then T, (N+1,).

    Returns:
        One vector a sequence, (N, H).

    Source: Reimers & Gurevych 2019, section 3, https://arxiv.org/abs/1908.10084

    Example:
        >>> import torch
        >>> mean_pool(torch.tensor([[1.0], [3.0], [7.0]]), torch.tensor([0, 0, 1]), torch.tensor([0, 2, 3])).tolist()
        [[2.0], [7.0]]
    """
    lengths = cu_seqlens.diff()
    sums = hidden.new_zeros(lengths.shape[0], hidden.shape[1]).index_add(0, sequence_ids, hidden)
    return sums / lengths[:, None]
