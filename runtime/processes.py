"""How many processes a training has."""

from typing import Any

import torch


def count_processes(trainer: Any) -> int:
    """Count the processes that a trainer configuration asks for."""
    devices = trainer["devices"]
    if devices in ("auto", -1, "-1"):
        per_node = max(1, torch.cuda.device_count() if trainer["accelerator"] in ("auto", "gpu", "cuda") else 1)
    elif isinstance(devices, list):
        per_node = len(devices)
    elif isinstance(devices, str) and "," in devices:
        per_node = len([device for device in devices.split(",") if device.strip()])
    else:
        per_node = int(devices)
    return per_node * int(trainer["num_nodes"])
