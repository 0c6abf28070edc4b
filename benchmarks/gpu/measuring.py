"""Clocks, the profiler and the matmul ceiling."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as L
import torch
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile

from benchmarks.gpu.workload import Size

LAUNCHES = ("cudaLaunchKernel", "cuLaunchKernel", "cudaGraphLaunch", "cudaMemcpyAsync", "cudaMemsetAsync")


@dataclass(frozen=True, kw_only=True)
class StepTimes:
    """What the steps of a program took.

    Args:
        ms_per_step: Milliseconds per step, device included.
        launches_per_step: Calls per step by which the host gives the device work; None without a GPU.
        kernels_per_step: Kernels per step that the device ran; None without a GPU.
        busy_share: Share of the profiled time in which the device worked; None without a GPU. The profiler slows the
            host, so that it is a lower bound.
        peak_mib: Largest memory of the device, MiB; None without a GPU.
    """

    ms_per_step: float
    launches_per_step: float | None
    kernels_per_step: float | None
    busy_share: float | None
    peak_mib: float | None


class StepClock:
    """Times steps, then profiles some.

    Args:
        size: How many of each.
        device: What works.
    """

    def __init__(self, size: Size, device: torch.device) -> None:
        self._size = size
        self._device = device
        self._started = self._seconds = 0.0
        self._profile: Any = None
        self._profile_seconds = 0.0

    def before_step(self, step: int) -> None:
        """Start and stop what begins before this step, counted from 0; call it for `total_steps` too."""
        size = self._size
        if step == size.warm_steps:
            self._synchronize()
            if self._device.type == "cuda":
                torch.cuda.reset_peak_memory_stats()
            self._started = time.perf_counter()
        elif step == size.warm_steps + size.steps:
            self._synchronize()
            self._seconds = time.perf_counter() - self._started
            kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if self._device.type == "cuda" else [])]
            self._profile = profile(activities=kinds)
            self._profile.__enter__()
            self._started = time.perf_counter()
        elif step == size.total_steps:
            self._synchronize()
            self._profile_seconds = time.perf_counter() - self._started
            self._profile.__exit__(None, None, None)

    def _synchronize(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize()

    def result(self) -> StepTimes:
        """Return the times."""
        ms = 1e3 * self._seconds / self._size.steps
        if self._device.type != "cuda":
            return StepTimes(
                ms_per_step=ms, launches_per_step=None, kernels_per_step=None, busy_share=None, peak_mib=None
            )
        events, steps = list(self._profile.events()), self._size.profiled_steps
        spans = device_spans(events)
        return StepTimes(
            ms_per_step=ms,
            launches_per_step=sum(event.name.startswith(LAUNCHES) for event in events) / steps,
            kernels_per_step=len(spans) / steps,
            busy_share=covered(spans) / (1e6 * self._profile_seconds),
            peak_mib=torch.cuda.max_memory_allocated() / 2**20,
        )


class LightningClock(L.Callback):
    """Feeds a StepClock from Lightning's loop.

    Args:
        clock: The clock.
    """

    def __init__(self, clock: StepClock) -> None:
        self._clock = clock

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Tell the clock which step begins."""
        self._clock.before_step(batch_idx)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Tell the clock that the last step is over."""
        self._clock.before_step(trainer.global_step)


def device_spans(events: Iterable[FunctionEvent]) -> list[tuple[float, float]]:
    """Return when each kernel, copy or fill ran on the device, in microseconds.

    A range that has a name, such as the optimiser's step, is an event of the device too, gaps between its kernels
    included; it is no work.
    """
    return [
        (event.time_range.start, event.time_range.end)
        for event in events
        if event.device_type.name == "CUDA" and not event.is_user_annotation
    ]


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """Length of the union of some intervals.

    Example:
        >>> covered([(0, 2), (1, 3), (5, 6)])
        4.0
    """
    total, end = 0.0, float("-inf")
    for start, stop in sorted(spans):
        total += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return total


def matmul_ceiling(size: int, device: torch.device, dtype: torch.dtype) -> float:
    """Measure the TFLOP/s of a large square product, the best of three rounds."""
    left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    repeats = 10
    rates = []
    for _ in range(4):  # the first one warms up
        started = _now(device)
        for _ in range(repeats):
            left @ right
        rates.append(2 * size**3 * repeats / (_now(device) - started) / 1e12)
    return max(rates[1:])


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()
