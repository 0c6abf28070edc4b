"""Training that starts from another training's weights: more tasks for a trained model."""

import logging
from collections.abc import Mapping
from pathlib import Path

from lightning.pytorch.utilities import rank_zero_only
from torch import nn
from transformers import PreTrainedTokenizerFast

from backbones import Backbone
from backbones.vocabulary import describe_tokenizer
from heads import Trunk
from inference.checkpoint import build_model, build_tasks, find_checkpoint, read_checkpoint
from lightning_modules.meaning import describe_tasks
from tasks import InputError, Task
from tasks.meaning import compare_meaning, is_same_meaning

log = logging.getLogger(__name__)
# What can be done with a checkpoint of other tasks that a training cannot resume from.
NEW_TRAINING = "; --model.init_from in place of --ckpt_path starts a new training from its backbone and heads that fit"


def init_from(
    source: Path,
    backbone: Backbone,
    heads: nn.ModuleDict,
    trunk: Trunk | None,
    tasks: Mapping[str, Task],
    *,
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    """Give backbone and trunk, and the heads of tasks that were trained before, the weights of another training.

    A task was trained before where one of its name has the same meaning (classes, columns, encoding, head and loss);
    all other heads stay as they are, and the log names both.

    Args:
        source: A checkpoint of `train.py fit`, or the folder of a run (see `find_checkpoint`).
        backbone: The backbone, changed in place.
        heads: The heads by task, changed in place.
        trunk: The trunk, changed in place; None for none.
        tasks: The tasks.
        tokenizer: The tokenizer of the new training.

    Raises:
        InputError: If there is no such checkpoint, or its backbone, trunk or tokenizer is another.
    """
    checkpoint = read_checkpoint(find_checkpoint(source.expanduser()))
    known = build_tasks(checkpoint)
    trained = build_model(checkpoint, known)
    compare_meaning(
        {**checkpoint.meaning, "backbone": trained.backbone.meaning()},
        {"backbone": backbone.meaning(), "tokenizer": describe_tokenizer(tokenizer)},
        subject=f"model.init_from {source}: its numbers",
    )
    _copy(trained.backbone, backbone, f"model.init_from {source}: its backbone and adapter")
    if (trained.trunk is None) != (trunk is None):
        raise InputError(f"model.init_from {source}: has {_trunk(trained.trunk)} (expected {_trunk(trunk)}, as here)")
    if trunk is not None and trained.trunk is not None:
        _copy(trained.trunk, trunk, f"model.init_from {source}: its trunk")
    taken = [name for name in tasks if name in known and _shapes(trained.heads[name]) == _shapes(heads[name])]
    before, now = (describe_tasks(*each) for each in ((known, trained.heads), (tasks, heads)))
    taken = [name for name in taken if is_same_meaning(before[name], now[name])]
    for name in taken:
        heads[name].load_state_dict(trained.heads[name].state_dict())
    new = [name for name in tasks if name not in taken]
    left = [name for name in known if name not in tasks]
    rank_zero_only(log.info)(
        "weights from %s: backbone, heads of %s; new heads: %s%s",
        checkpoint.path,
        ", ".join(taken) or "no task",
        ", ".join(new) or "none",
        f"; left behind, since they are no tasks here: {', '.join(left)}" if left else "",
    )


def _shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def _copy(source: nn.Module, target: nn.Module, what: str) -> None:
    found, expected = _shapes(source), _shapes(target)
    for name in sorted({*found, *expected}):
        if found.get(name) != expected.get(name):
            raise InputError(
                f"{what}: {name} is {found.get(name, 'absent')} there, {expected.get(name, 'absent')} here "
                "(expected the same backbone, pooling, adapter and trunk)"
            )
    target.load_state_dict(source.state_dict())


def _trunk(trunk: Trunk | None) -> str:
    return "no trunk" if trunk is None else f"a trunk of size {trunk.size}"
