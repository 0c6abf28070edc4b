"""The switch that gives fp32 products to oneDNN: exact on some machines, bf16 in disguise on others."""

import time
from typing import Any

import torch
from torch import Tensor

from benchmarks.meter import Unavailable

LARGEST_ERROR = 1e-6


def use_onednn() -> None:
    """Turn the switch on.

    `torch.backends.mkldnn.matmul.fp32_precision = "bf16"` allows bf16 products. Without AMX, oneDNN computes in fp32
    all the same, on AMD much faster than the default library; with AMX it computes in bf16, which is not fp32.

    Raises:
        Unavailable: If products are not accurate to fp32 with it here; the switch is off again then.
    """
    matmul: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    previous = matmul.fp32_precision
    matmul.fp32_precision = "bf16"
    error = relative_error()
    if error > LARGEST_ERROR:
        matmul.fp32_precision = previous
        raise Unavailable(f"oneDNN's products have relative error {error:.1e} here (fp32 needs {LARGEST_ERROR:.0e})")


def relative_error(size: int = 512) -> float:
    """Relative error of fp32 products as they are set now, against float64, in the Frobenius norm."""
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(size, size, generator=generator) for _ in range(2))
    exact: Tensor = left.double() @ right.double()
    return float((left @ right - exact).norm() / exact.norm())


def bf16_is_fast(size: int = 512) -> bool:
    """Whether products in bf16 take less CPU time than in fp32: without instructions for them they take far more."""
    left, right = torch.ones(size, size), torch.ones(size, size)
    seconds = {dtype: _time_product(left.to(dtype), right.to(dtype)) for dtype in (torch.float32, torch.bfloat16)}
    return seconds[torch.bfloat16] < seconds[torch.float32]


def _time_product(left: Tensor, right: Tensor) -> float:
    seconds = []
    for _ in range(4):
        started = time.process_time()
        left @ right
        seconds.append(time.process_time() - started)
    return min(seconds)
