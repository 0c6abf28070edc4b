"""What the profiler of a GPU says, as its own events."""

import torch
from torch.autograd import DeviceType
from torch.autograd.profiler_util import FunctionEvent

from benchmarks.gpu.measuring import covered, device_spans


def event(name: str, start: float, end: float, device: DeviceType = DeviceType.CUDA, **more: bool) -> FunctionEvent:
    return FunctionEvent(0, name, thread=1, start_us=start, end_us=end, device_type=device, **more)


def test_a_named_range_on_the_device_is_no_work() -> None:
    """torch.optim names its step: the device gets a range from its first kernel to its last, idle gaps included."""
    events = [
        event("multi_tensor_apply", 0.0, 1.0),
        event("Memset (Device)", 8.0, 9.0),
        event("Optimizer.step#AdamW.step", 0.0, 9.0, is_user_annotation=True),
        event("aten::mm", 0.0, 9.0, DeviceType.CPU),
    ]
    assert device_spans(events) == [(0.0, 1.0), (8.0, 9.0)]
    assert covered(device_spans(events)) == 2.0


def test_the_optimiser_names_its_step() -> None:
    """So every profiled step has such a range."""
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.AdamW([weight])
    weight.grad = torch.ones(2)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        optimizer.step()
    named = [each for each in profile.events() or () if each.name.startswith("Optimizer.step")]
    assert [each.is_user_annotation for each in named] == [True]
