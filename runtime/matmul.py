"""Faster fp32 matrix products on CPUs where oneDNN computes them better than the default library."""

import logging
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from runtime.measured import Measured
from runtime.processor import processor_and_instructions

log = logging.getLogger(__name__)

LARGEST_ERROR = 1e-6  # relative; the default library's is about 3e-7, that of products in bf16 2e-3
LEAST_SPEEDUP = 1.15


def choose_matmul(memory: Path) -> bool:
    """Hand fp32 matrix products to oneDNN if it is as accurate here and faster, and remember the choice.

    PyTorch's switch for this is called "bf16", since it allows products in bf16. Without AMX, oneDNN computes them in
    fp32 all the same, on AMD about twice as fast as the default library; with AMX it would use bf16, which the probe
    refuses. The choice is kept in a file, since one that depended on the moment's load would change results. Of
    processes that probe at the same time the first decides for all.

    Args:
        memory: File that keeps the choice for each processor and PyTorch version.

    Returns:
        Whether oneDNN computes fp32 products from now on.
    """
    key = f"linear layers on {processor_and_instructions()}, torch {torch.__version__}"
    memories: Measured[bool] = Measured(
        memory,
        "fp32 matrix products",
        lambda choice: isinstance(choice, bool),
        instead="--fp32_matmul default measures nothing",
    )
    is_on = memories.find(key, probe)
    set_onednn(on=is_on)
    if is_on:
        log.info("fp32 matrix products: oneDNN (as accurate here and faster; --fp32_matmul default switches it off)")
    return is_on


def probe() -> bool:
    """Measure whether oneDNN's fp32 products are accurate and faster here; the switch is left as it was.

    One thread is measured, by its CPU time and at its best: that hardly depends on what else the machine does. What is
    measured is a linear layer forward and backward, on as many rows as no pass before had, as in a training on packed
    tokens: for each new shape oneDNN builds a kernel, which can cost more than a slightly faster product saves.
    """
    before, threads = _matmul().fp32_precision, torch.get_num_threads()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    inputs, weight = torch.randn(704, 256, generator=generator), torch.randn(1024, 256, generator=generator)
    try:
        seconds: dict[bool, list[float]] = {False: [], True: []}
        for repetition in range(12):
            on = repetition % 2 == 1
            set_onednn(on=on)
            seconds[on].append(_time_layer(inputs[: 640 + repetition], weight))
        speedup = min(seconds[False][1:]) / min(seconds[True][1:])  # the first ones load the libraries
        exact = inputs.double() @ weight.double().t()
        error = float((inputs @ weight.t() - exact).norm() / exact.norm())
    finally:
        _matmul().fp32_precision = before
        torch.set_num_threads(threads)
    return error < LARGEST_ERROR and speedup > LEAST_SPEEDUP


def set_onednn(*, on: bool) -> None:
    """Switch oneDNN's fp32 products on or off for the whole process."""
    _matmul().fp32_precision = "bf16" if on else "none"


def _matmul() -> Any:
    return torch.backends.mkldnn.matmul  # type: ignore[attr-defined]


def _time_layer(inputs: Tensor, weight: Tensor) -> float:
    parameters = [weight.detach().requires_grad_(), torch.zeros(len(weight), requires_grad=True)]
    started = time.process_time()
    outputs = F.linear(inputs.detach().requires_grad_(), *parameters)
    outputs.backward(outputs.detach())  # type: ignore[no-untyped-call]
    return time.process_time() - started
