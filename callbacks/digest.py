"""One number for all weights."""

import hashlib
import json

import lightning.pytorch as L
import torch


def digest_weights(module: L.LightningModule) -> str:
    """SHA-256 of a module's parameters and buffers, metrics left out.

    Tensors come in the order of their names, each as its name, dtype, shape and little-endian bytes, so equal weights
    have equal digests on every machine.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        if name.startswith("_metrics."):
            continue
        data = tensor.detach().cpu().contiguous()
        digest.update(json.dumps([name, str(data.dtype), list(data.shape)]).encode())
        digest.update(data.flatten().view(torch.uint8).numpy().tobytes() if data.numel() else b"")
    return digest.hexdigest()
