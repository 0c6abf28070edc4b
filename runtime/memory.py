"""Memory that this process has taken."""

import sys

import torch


def peak_memory(device: torch.device) -> int | None:
    """Return the most memory that this process has held, in bytes.

    Args:
        device: What computes: of a GPU it is the GPU's memory, else the machine's.

    Returns:
        None on Windows, which does not count it for the process.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ModuleNotFoundError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
