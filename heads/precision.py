"""Numbers that are wide enough for losses and scores."""

import torch
from torch import Tensor


def widen(values: Tensor) -> Tensor:
    """Return half-precision values in float32: bfloat16 has steps of 1/32 between 4 and 5. Others stay as they are."""
    return values.float() if values.dtype in (torch.bfloat16, torch.float16) else values
