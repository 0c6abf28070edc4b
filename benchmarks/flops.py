"""What real tokens need, in floating-point operations."""

import numpy as np
from numpy.typing import NDArray


def needed_flops(
    lengths: NDArray[np.int64],
    *,
    num_layers: int,
    hidden_size: int,
    intermediate_size: int,
    trains: bool = True,
) -> float:
    """Count the FLOPs of some examples: products of real tokens, the last layer only where it is read.

    Args:
        lengths: Tokens of each example, (B,).
        num_layers: Layers of the BERT.
        hidden_size: Its hidden size (H).
        intermediate_size: Width of its feed-forward layers.
        trains: Whether the backward pass counts, which costs twice the forward pass.

    Example:
        >>> needed_flops(np.array([10, 10]), num_layers=1, hidden_size=4, intermediate_size=8, trains=False)
        2048.0
    """
    hidden, tokens = float(hidden_size), float(lengths.sum())
    square, wide = hidden**2, hidden * intermediate_size
    full_layer = (4 * square + 2 * wide) * tokens  # multiply-adds
    last_layer = 2 * square * tokens + (2 * square + 2 * wide) * lengths.size
    attention = 2 * hidden * float((lengths**2).sum())
    forward = (num_layers - 1) * (full_layer + attention) + last_layer + 2 * hidden * tokens + square * lengths.size
    return 2 * forward * (3 if trains else 1)  # a multiply-add is two
