"""The one thing that objectives need of other processes."""

import torch.distributed
from torch import Tensor


def mean_over_processes(tensor: Tensor) -> Tensor:
    """Return the mean of every process's tensor, in place; the tensor itself where there is one process."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.all_reduce(tensor)
        tensor /= torch.distributed.get_world_size()
    return tensor
