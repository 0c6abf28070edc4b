"""Repeating the random draws of a forward pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class RandomState:
    """PyTorch's random numbers at one moment, on the CPU and on one device.

    Args:
        device: The device whose forward pass is to be repeated.
        cpu: State of the CPU's generator.
        cuda: State of the device's generator; None if it is no CUDA device.
    """

    device: torch.device
    cpu: Tensor
    cuda: Tensor | None

    @classmethod
    def take(cls, device: torch.device) -> "RandomState":
        """Remember where the generators are now."""
        cuda = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
        return cls(device, torch.get_rng_state(), cuda)

    @contextmanager
    def replayed(self) -> Iterator[None]:
        """Draw the same numbers again inside; afterwards the generators go on where they were.

        Raises:
            ValueError: If the device is neither a CPU nor a CUDA device.

        Example:
            >>> state = RandomState.take(torch.device("cpu"))
            >>> first = torch.rand(3)
            >>> with state.replayed():
            ...     bool(torch.equal(torch.rand(3), first))
            True
        """
        if self.device.type not in ("cpu", "cuda"):
            raise ValueError(f"dropout masks cannot be repeated on {self.device} (expected a CPU or a CUDA device)")
        with torch.random.fork_rng(devices=[] if self.cuda is None else [self.device]):
            torch.set_rng_state(self.cpu)
            if self.cuda is not None:
                torch.cuda.set_rng_state(self.cuda, self.device)
            yield
