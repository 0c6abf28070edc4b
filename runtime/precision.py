"""The precision that fits the device: bf16 and fp16 products are slower than fp32 ones where hardware lacks them."""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from runtime.measured import Measured
from runtime.processor import processor, processor_and_instructions

log = logging.getLogger(__name__)

Half = Literal["bf16-mixed", "16-mixed"]
DTYPES: Mapping[str, torch.dtype] = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
HALVES: Mapping[str, Half] = {  # what is measured for what is asked
    **{"auto": "bf16-mixed", "bf16-mixed": "bf16-mixed", "bf16": "bf16-mixed"},
    **{"16-mixed": "16-mixed", "16": "16-mixed"},
}
LEAST_SPEEDUP = 1.15  # below it products in half precision are not worth their rounding
CLEARLY_SLOWER = 0.2


def settle_precision(asked: str | int | None, device: torch.device, memory: Path) -> str | int | None:
    """Return the precision to compute in, and say what was chosen or that fp32 would be faster.

    `auto` becomes `bf16-mixed` where that is faster, else `32-true`: weights, sums and losses are float32 in both, and
    bf16 has fp32's range. fp16 has not, so it is never chosen. Everything else stays as it is; without half precision
    nothing is measured.

    Args:
        asked: A precision as Lightning names it, or `auto`; None for its default.
        device: Where it is computed.
        memory: File that keeps what was measured, since a choice that depended on the moment's load would change
            results.
    """
    half = HALVES.get(str(asked))
    if half is None:
        return asked
    if device.type == "cpu":
        half = "bf16-mixed"  # which Lightning takes there for fp16
    speedup = remembered_speedup(half, device, memory)
    if asked == "auto":
        chosen = choose(speedup)
        log.info("precision: %s (%s)", chosen, compare(half, speedup, device))
        return chosen
    if speedup < 1:
        log.warning("precision %s: %s (auto takes the faster)", asked, compare(half, speedup, device))
    return asked


def choose(speedup: float) -> Literal["32-true", "bf16-mixed"]:
    """Return the fastest safe precision.

    Args:
        speedup: How many times as fast as in fp32 products are in bf16.

    Example:
        >>> [choose(speedup) for speedup in (0.08, 1.0, 1.1, 1.9)]
        ['32-true', '32-true', '32-true', 'bf16-mixed']
    """
    return "bf16-mixed" if speedup >= LEAST_SPEEDUP else "32-true"


def compare(half: Half, speedup: float, device: torch.device) -> str:
    """Say how fast products in half precision are.

    Example:
        >>> compare("bf16-mixed", 1 / 12, torch.device("meta"))
        'products in bf16 take 12 times as long as in fp32 on this meta'
        >>> compare("16-mixed", 1.92, torch.device("meta"))
        'products in fp16 are 1.9 times as fast as in fp32 on this meta'
    """
    name, where = "bf16" if half == "bf16-mixed" else "fp16", _describe(device)
    if speedup < 1:
        return f"products in {name} take {1 / speedup:.2g} times as long as in fp32 on this {where}"
    return f"products in {name} are {speedup:.2g} times as fast as in fp32 on this {where}"


def remembered_speedup(half: Half, device: torch.device, memory: Path) -> float:
    """Return how many times as fast as in fp32 products are, measured once for each device and PyTorch version.

    Of processes that probe at the same time the first decides for all.
    """
    fp32 = "oneDNN" if torch.backends.mkldnn.matmul.fp32_precision == "bf16" else "default"  # type: ignore[attr-defined]
    where = f"cpu ({processor_and_instructions()})" if device.type == "cpu" else _describe(device)
    key = f"{half} on {where}, {fp32} fp32, torch {torch.__version__}"
    memories: Measured[float] = Measured(memory, "precisions", lambda value: isinstance(value, float) and value > 0)
    return memories.find(key, lambda: probe(DTYPES[half], device))


def probe(dtype: torch.dtype, device: torch.device) -> float:
    """Measure how many times as fast as in fp32 a linear layer is in half precision, forward and backward.

    On a CPU one thread is measured, by its CPU time and at its best: that hardly depends on what else the machine does.
    Each pass has another number of rows, as each batch of packed tokens has: for each oneDNN builds kernels. A small
    layer comes first: where half precision is a hundred times slower, a large one would take seconds.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        speedup = _compare([64, 64, 64, 64], 128, dtype, device)
        if speedup < CLEARLY_SLOWER:
            return speedup
        on_cpu = device.type == "cpu"
        return (
            _compare([640, 641, 642, 643], 256, dtype, device) if on_cpu else _compare([4096] * 4, 768, dtype, device)
        )
    finally:
        torch.set_num_threads(threads)


def _compare(rows: Sequence[int], inputs: int, dtype: torch.dtype, device: torch.device) -> float:
    """Time a layer with four times as many outputs as inputs; the first pass, which loads libraries, does not count."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(max(rows), inputs, generator=generator).to(device)
    weight = torch.randn(4 * inputs, inputs, generator=generator).to(device).requires_grad_()
    seconds = []
    for kind in (torch.float32, dtype):
        with torch.autocast(device.type, dtype=kind, enabled=kind != torch.float32):
            seconds.append(min([_time_layer(x[:number], weight) for number in rows][1:]))
    return seconds[0] / seconds[1]


def _time_layer(x: Tensor, weight: Tensor) -> float:
    started = _clock(x.device)
    outputs = F.linear(x.detach().requires_grad_(), weight)
    outputs.backward(outputs.detach())  # type: ignore[no-untyped-call]
    return _clock(x.device) - started


def _clock(device: torch.device) -> float:
    if device.type == "cpu":
        return time.process_time()
    torch.accelerator.synchronize(device)
    return time.perf_counter()


def _describe(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({processor()})" if device.type == "cpu" else device.type
