"""The precision of a run: in its checkpoints, so that a training goes on in the one that it began in."""

import logging
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import torch
from torch import nn

from callbacks.atomic_io import AtomicCheckpointIO
from tasks import InputError

log = logging.getLogger(__name__)


class KeepPrecision(L.Callback):
    """Writes a training's precision into its checkpoints (see `find_resumed_precision`), and loads weights in it."""

    def __init__(self) -> None:
        self._precision: str | None = None

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Take the trainer's precision, before Lightning loads a checkpoint, which it would round otherwise."""
        self._precision = trainer.precision
        convert_weights(pl_module, trainer)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"precision": self._precision}


def convert_weights(module: nn.Module, trainer: L.Trainer) -> None:
    """Give weights the type in which the trainer is going to keep them: float32, or float64 for `64-true`."""
    if trainer.precision == "64-true":
        module.double()


def find_resumed_precision(path: Path) -> str | None:
    """Return the precision of the training that a checkpoint is of; None for weights only, which nothing goes on from.

    Raises:
        InputError: If it cannot be read, or is of a version that did not keep it.
    """
    checkpoint = AtomicCheckpointIO().load_checkpoint(path, map_location="cpu")
    if "optimizer_states" not in checkpoint:
        return None
    kept = checkpoint.get("callbacks", {}).get(KeepPrecision.__qualname__, {}).get("precision")
    if kept is None:
        raise InputError(
            f"trainer.precision is auto, but {path} does not say what its training computed in (expected that one by "
            "its name, such as 32-true)"
        )
    log.info("precision: %s, as the training that goes on", kept)
    return str(kept)


def find_device(accelerator: object) -> torch.device:
    """Return the device that Lightning takes.

    Args:
        accelerator: `auto`, `gpu`, the name of a kind of device, or a class's settings.
    """
    if isinstance(accelerator, str) and accelerator not in ("auto", "gpu"):
        return torch.device(accelerator)
    return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
