"""Sums, means, rows and objects over the processes of a training."""

from typing import Any, Literal

import torch
import torch.distributed
from torch import Tensor
from torch.distributed import ReduceOp
from torch.nn import functional as F


def has_processes() -> bool:
    """Whether this process is one of those of a training in several."""
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def reduce_over_processes(tensor: Tensor, how: Literal["sum", "mean", "max"]) -> Tensor:
    """Return the sum, mean or maximum of all processes' tensors, in place; the tensor itself where there is one.

    Call it on every process, with a tensor on the device of the training.

    Args:
        tensor: This process's tensor.
        how: What becomes of them.
    """
    if has_processes():
        torch.distributed.all_reduce(tensor, op=ReduceOp.MAX if how == "max" else ReduceOp.SUM)
        if how == "mean":
            tensor /= torch.distributed.get_world_size()
    return tensor


def gather_objects(value: Any) -> list[Any]:
    """Return every process's value, in the order of the ranks, on every process."""
    if not has_processes():
        return [value]
    values: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(values, value)
    return values


def gather_rows(rows: Tensor) -> tuple[Tensor, int]:
    """Return the rows of all processes after one another, and the place of this process's first.

    Gradients of the result reach the rows of every process, summed over the processes. Call it on every process, also
    one without rows, and go backward on every process.

    Args:
        rows: This process's rows, (B, ...), on the device of the training; B may differ between the processes.
    """
    if not has_processes():
        return rows, 0
    own, processes = torch.distributed.get_rank(), torch.distributed.get_world_size()
    counts = torch.zeros(processes, dtype=torch.long, device=rows.device)
    counts[own] = len(rows)
    found = reduce_over_processes(counts, "sum").tolist()
    padded = F.pad(rows, (0, 0) * (rows.dim() - 1) + (0, max(found) - len(rows)))
    gathered: Tensor = _Gather.apply(padded)  # type: ignore[no-untyped-call]
    return torch.cat([part[:count] for part, count in zip(gathered, found, strict=True)]), sum(found[:own])


class _Gather(torch.autograd.Function):
    """(B, ...) of each process to (processes, B, ...) on all of them."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        gathered = rows.new_zeros((torch.distributed.get_world_size(), *rows.shape))
        gathered[torch.distributed.get_rank()] = rows
        return reduce_over_processes(gathered, "sum")

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        whole = gradient.clone(memory_format=torch.contiguous_format)  # reduced in place
        return reduce_over_processes(whole, "sum")[torch.distributed.get_rank()]
