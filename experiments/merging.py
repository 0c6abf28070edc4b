"""One checkpoint from the weights of several: their mean, or the sum of what each training has changed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from backbones import load_encoder
from inference.checkpoint import Checkpoint
from lightning_modules.saved_weights import OBJECTIVE
from runtime.whole_files import replacing
from tasks import InputError

BACKBONE = "backbone.bert."
TRAINING_ONLY = ("optimizer_states", "lr_schedulers", "callbacks", "MixedPrecision")


def check_alike(checkpoints: Sequence[Checkpoint]) -> None:
    """Raise an error unless the numbers of all checkpoints mean the same and their weights have the same shapes.

    Raises:
        InputError: If two differ, started from other backbones, or one holds the trained part of its weights only.
    """
    first = checkpoints[0]
    for each in checkpoints:
        if each.frozen_sha256 is not None:
            raise InputError(f"{each.path}: holds the trained part only (expected save_trainable_only: false)")
        check_backbone(each, first)
        for what, one, other in (
            ("meaning", each.meaning, first.meaning),
            ("weights", _network_shapes(each.weights), _network_shapes(first.weights)),
        ):
            if one != other:
                keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
                raise InputError(
                    f"{each.path}: differs from {first.path} in the {what} of {', '.join(map(str, keys[:3]))} "
                    "(expected trainings of the same tasks, heads and backbone)"
                )


def check_backbone(checkpoint: Checkpoint, first: Checkpoint) -> None:
    """Raise an error unless two trainings started from the same backbone, by whichever path it is named.

    Raises:
        InputError: If they did not.
    """
    if Path(checkpoint.backbone).resolve() != Path(first.backbone).resolve():
        raise InputError(
            f"{checkpoint.path}: started from {checkpoint.backbone} (expected {first.backbone}, as {first.path})"
        )


def average(weights: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of each weight of the network, computed in float64.

    Tensors of whole numbers, and what weighting, surgery and regularisers have learnt, are the first one's.

    Source: Wortsman et al. 2022, model soups, https://arxiv.org/abs/2203.05482

    Example:
        >>> average([{"w": torch.tensor([1.0])}, {"w": torch.tensor([2.0])}])
        {'w': tensor([1.5000])}
    """
    return {
        name: torch.stack([each[name].double() for each in weights]).mean(dim=0).to(tensor.dtype)
        if tensor.is_floating_point() and not name.startswith(OBJECTIVE)
        else tensor
        for name, tensor in weights[0].items()
    }


def add_changes(base: Mapping[str, Tensor], weights: Sequence[Mapping[str, Tensor]], scale: float) -> dict[str, Tensor]:
    """Return the backbone's weights plus what each training has changed of them, times a factor.

    Args:
        base: The weights that all trainings started from.
        weights: Those after each; what `base` lacks is left out.
        scale: The factor.

    Source: Ilharco et al. 2023, task arithmetic, https://arxiv.org/abs/2212.04089

    Example:
        >>> trained = [{"w": torch.tensor([3.0]), "head": torch.zeros(1)}, {"w": torch.tensor([1.0])}]
        >>> add_changes({"w": torch.tensor([2.0])}, trained, 0.5)
        {'w': tensor([2.])}
    """
    changed = {}
    for name, tensor in base.items():
        if tensor.is_floating_point():
            sum_ = torch.stack([each[name].double() - tensor.double() for each in weights]).sum(dim=0)
            changed[name] = (tensor.double() + scale * sum_).to(tensor.dtype)
        else:
            changed[name] = tensor
    return changed


def load_base(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """Return the backbone's weights before the training, by their names in the checkpoint.

    Raises:
        InputError: If the training gave the backbone weights that its files lack.
    """
    start = {f"{BACKBONE}{name}": tensor for name, tensor in load_encoder(checkpoint.backbone).state_dict().items()}
    names = [name for name in checkpoint.weights if name.startswith("backbone.")]
    new = [name for name in names if name not in start]
    if new:
        raise InputError(
            f"{checkpoint.path}: its backbone has weights that {checkpoint.backbone} lacks, such as {new[0]} (expected "
            "a training without adapter and fresh layers)"
        )
    return {name: start[name] for name in names}


def write_checkpoint(target: Path, template: Path, weights: Mapping[str, Tensor], **changes: Mapping[str, Any]) -> None:
    """Write a checkpoint that everything but resuming reads.

    Args:
        target: The file.
        template: A checkpoint that all but the weights is taken from.
        weights: The weights.
        changes: Entries that replace parts of the template's, key by key.
    """
    found = torch.load(template, map_location="cpu", weights_only=True, mmap=True)
    kept = {name: value for name, value in found.items() if name not in TRAINING_ONLY}
    for name, values in changes.items():
        kept[name] = {**kept.get(name, {}), **values}
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as file:
        torch.save({**kept, "state_dict": dict(weights)}, file)


def _network_shapes(weights: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in weights.items() if not name.startswith(OBJECTIVE)}
