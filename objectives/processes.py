"""Sums and means over the processes of a training."""

from typing import Literal

import torch.distributed
from torch import Tensor
from torch.distributed import ReduceOp


def reduce_over_processes(tensor: Tensor, how: Literal["sum", "mean", "max"]) -> Tensor:
    """Return the sum, mean or maximum of all processes' tensors, in place; the tensor itself where there is one.

    Call it on every process, with a tensor on the device of the training.

    Args:
        tensor: This process's tensor.
        how: What becomes of them.
    """
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.all_reduce(tensor, op=ReduceOp.MAX if how == "max" else ReduceOp.SUM)
        if how == "mean":
            tensor /= torch.distributed.get_world_size()
    return tensor
