"""One number for all weights."""

import lightning.pytorch as L

from backbones.digest import digest_tensors


def digest_weights(module: L.LightningModule) -> str:
    """SHA-256 of a module's parameters and buffers, metrics left out; see `digest_tensors`."""
    weights = {name: tensor for name, tensor in module.state_dict().items() if not name.startswith("_metrics.")}
    return digest_tensors(weights)
