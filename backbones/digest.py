"""One number for many tensors, or for all weights of a module."""

import hashlib
import json
from collections.abc import Mapping

import torch
from torch import Tensor, nn


def digest_tensors(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of named tensors.

    Tensors come in the order of their names, each as its name, dtype, shape and little-endian bytes, so equal weights
    have equal digests on every machine.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        data = tensor.detach().cpu().contiguous()
        digest.update(json.dumps([name, str(data.dtype), list(data.shape)]).encode())
        digest.update(data.flatten().view(torch.uint8).numpy().tobytes() if data.numel() else b"")
    return digest.hexdigest()


def digest_weights(module: nn.Module) -> str:
    """SHA-256 of a module's parameters and buffers, metrics left out; see `digest_tensors`."""
    weights = {name: tensor for name, tensor in module.state_dict().items() if not name.startswith("_metrics.")}
    return digest_tensors(weights)
