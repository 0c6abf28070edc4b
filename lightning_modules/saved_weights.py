"""Which weights a checkpoint holds: averaged ones, or the trained part only."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import lightning.pytorch as L
from lightning.pytorch.callbacks import WeightAveraging
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor, nn

from backbones.digest import digest_tensors
from lightning_modules.resumed_settings import refuse_other_averaging
from tasks import InputError

log = logging.getLogger(__name__)

OBJECTIVE = ("weighting.", "remembering.")  # names of weights that predict nothing: of weighting, surgery, regularisers


def find_averaging(callbacks: Iterable[L.Callback]) -> WeightAveraging | None:
    """Return the callback that averages the weights, if there is one."""
    return next((callback for callback in callbacks if isinstance(callback, WeightAveraging)), None)


def is_whole(checkpoint: Mapping[str, Any]) -> bool:
    """Whether a training can go on from a checkpoint; else it holds weights only."""
    return "optimizer_states" in checkpoint


def drop_trained(checkpoint: dict[str, Any]) -> None:
    """Leave nothing but the averaged weights in a weights-only checkpoint, which is changed in place."""
    for key in ("current_model_state", "averaging_state"):
        checkpoint.pop(key, None)


def refuse_forgotten_averaging(checkpoint: Mapping[str, Any], averaging: WeightAveraging | None) -> None:
    """Check that a training that averaged its weights goes on doing so.

    Args:
        checkpoint: The checkpoint that it goes on from.
        averaging: What averages now.

    Raises:
        InputError: If nothing does: the `state_dict` holds other weights than the optimiser moved.
    """
    if "averaging_state" in checkpoint and averaging is None:
        refuse_other_averaging(checkpoint["averaging"], None)


def leave_out_frozen(checkpoint: dict[str, Any], frozen: Mapping[str, Tensor]) -> None:
    """Take the frozen weights out of a checkpoint and put their digest in.

    Args:
        checkpoint: The checkpoint, changed in place as Lightning's hook wants it.
        frozen: Those weights by name, see `frozen_weights`.
    """
    checkpoint["frozen_sha256"] = digest_tensors(frozen)
    for key in ("state_dict", "current_model_state"):
        if key in checkpoint:
            checkpoint[key] = {name: tensor for name, tensor in checkpoint[key].items() if name not in frozen}


def fill_in_frozen(checkpoint: dict[str, Any], frozen: Mapping[str, Tensor], *, backbone: str) -> None:
    """Put the frozen weights of the backbone back into a checkpoint that was saved without them.

    Args:
        checkpoint: The checkpoint, changed in place as Lightning's hook wants it.
        frozen: The frozen weights of a module that is fresh from its backbone's files, see `frozen_weights`.
        backbone: Where those files are.

    Raises:
        InputError: If the backbone's weights are not those that the checkpoint was trained on.
    """
    expected = checkpoint.get("frozen_sha256")
    if expected is None:
        return
    found = digest_tensors(frozen)
    if found != expected:
        raise InputError(
            f"the checkpoint holds the trained part only, of a backbone whose other weights have the SHA-256 "
            f"{expected[:16]}..., but those of {backbone} have {found[:16]}... (expected the same backbone and adapter)"
        )
    for key in ("state_dict", "current_model_state"):
        if key in checkpoint:
            checkpoint[key] = {**frozen, **checkpoint[key]}


def take_own_objective(checkpoint: dict[str, Any], own: Mapping[str, Tensor]) -> None:
    """Give a checkpoint of another weighting or other methods this module's: an evaluation does not ask for them.

    Args:
        checkpoint: The checkpoint, changed in place as Lightning's hook wants it.
        own: The module's `state_dict`.
    """
    weights = checkpoint["state_dict"]
    mine, found = ({name: each[name] for name in each if name.startswith(OBJECTIVE)} for each in (own, weights))
    if {name: tensor.shape for name, tensor in mine.items()} != {name: tensor.shape for name, tensor in found.items()}:
        checkpoint["state_dict"] = {**{name: weights[name] for name in weights if name not in found}, **mine}


def frozen_weights(module: nn.Module) -> dict[str, Tensor]:
    """Return the weights that do not train, by name."""
    return {name: weight.detach() for name, weight in module.named_parameters() if not weight.requires_grad}


def report_parameters(parameters: Iterable[nn.Parameter], *, unreached: Iterable[nn.Parameter] = ()) -> None:
    """Print how many parameters train, of how many.

    Args:
        parameters: All of them.
        unreached: Those that no gradient reaches, though they are not frozen.
    """
    left_out = {id(weight) for weight in unreached}
    counts = [(weight.numel(), weight.requires_grad and id(weight) not in left_out) for weight in parameters]
    trained, total = sum(count for count, trains in counts if trains), sum(count for count, _ in counts)
    rank_zero_only(log.info)(
        "parameters: %s of %s train (%.2f %%)", f"{trained:,}", f"{total:,}", 100 * trained / total
    )
