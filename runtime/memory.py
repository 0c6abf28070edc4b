"""Memory that this process has taken."""

import sys

import torch


def peak_memory() -> int | None:
    """Return the most memory that this process has held, in bytes: the GPU's if there is one, else the machine's.

    None on Windows, which does not count it for the process.
    """
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    try:
        import resource
    except ModuleNotFoundError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
