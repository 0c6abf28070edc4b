"""Which weights a checkpoint holds."""

from typing import Any

import lightning.pytorch as L
from lightning.pytorch.callbacks import WeightAveraging

from tasks import InputError


def keep_averaged(module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
    """Put averaged weights into a weights-only checkpoint: Lightning asks its callbacks only for whole ones.

    Args:
        module: The module that is saved.
        checkpoint: Its checkpoint, changed in place as Lightning's hook wants it.
    """
    callback = _averaging(module)
    if callback is None or "optimizer_states" in checkpoint:
        return
    callback.on_save_checkpoint(module.trainer, module, checkpoint)
    for key in ("current_model_state", "averaging_state"):
        checkpoint.pop(key, None)


def refuse_forgotten_averaging(module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
    """Check that a training that averaged its weights goes on doing so.

    Raises:
        InputError: If not: its `state_dict` holds other weights than its optimiser moved.
    """
    is_resuming = module._trainer is not None and module.trainer.training
    if is_resuming and "averaging_state" in checkpoint and _averaging(module) is None:
        found = checkpoint.get("averaging")
        raise InputError(f"a resumed training goes on averaging as before, {found}, but --averaging is not given")


def _averaging(module: L.LightningModule) -> WeightAveraging | None:
    callbacks: list[Any] = module.trainer.callbacks  # type: ignore[attr-defined]
    return next((callback for callback in callbacks if isinstance(callback, WeightAveraging)), None)
