"""Which weights a checkpoint holds: averaged ones, or the trained part only."""

import logging
from typing import Any

import lightning.pytorch as L
from lightning.pytorch.callbacks import WeightAveraging
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor

from backbones.digest import digest_tensors
from tasks import InputError

log = logging.getLogger(__name__)


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


def leave_out_frozen(module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
    """Take the frozen weights out of a checkpoint and put their digest in.

    Args:
        module: The module that is saved.
        checkpoint: Its checkpoint, changed in place as Lightning's hook wants it.
    """
    frozen = _frozen_weights(module)
    checkpoint["frozen_sha256"] = digest_tensors(frozen)
    for key in ("state_dict", "current_model_state"):
        if key in checkpoint:
            checkpoint[key] = {name: tensor for name, tensor in checkpoint[key].items() if name not in frozen}


def fill_in_frozen(module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
    """Put the frozen weights of the backbone back into a checkpoint that was saved without them.

    Args:
        module: The module that is loaded, fresh from its backbone's files.
        checkpoint: The checkpoint, changed in place as Lightning's hook wants it.

    Raises:
        InputError: If the backbone's weights are not those that the checkpoint was trained on.
    """
    expected = checkpoint.get("frozen_sha256")
    if expected is None:
        return
    frozen = _frozen_weights(module)
    found = digest_tensors(frozen)
    if found != expected:
        backbone = module.hparams.get("backbone")
        raise InputError(
            f"the checkpoint holds the trained part only, of a backbone whose other weights have the SHA-256 "
            f"{expected[:16]}..., but those of {backbone} have {found[:16]}... (expected the same backbone and adapter)"
        )
    for key in ("state_dict", "current_model_state"):
        if key in checkpoint:
            checkpoint[key] = {**frozen, **checkpoint[key]}


def _frozen_weights(module: L.LightningModule) -> dict[str, Tensor]:
    return {name: weight.detach() for name, weight in module.named_parameters() if not weight.requires_grad}


def report_parameters(module: L.LightningModule) -> None:
    """Print how many parameters train, of how many."""
    counts = [(weight.numel(), weight.requires_grad) for weight in module.parameters()]
    trained, total = sum(count for count, trains in counts if trains), sum(count for count, _ in counts)
    rank_zero_only(log.info)(
        "parameters: %s of %s train (%.2f %%)", f"{trained:,}", f"{total:,}", 100 * trained / total
    )
