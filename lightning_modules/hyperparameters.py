"""Hyperparameters as plain data, so that a checkpoint can be loaded without running code from it."""

import inspect
from abc import ABCMeta
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any

import lightning.pytorch as L
from torch import Tensor

from lightning_internals import INSTANTIATOR
from lightning_modules.optim import OptimizerSettings
from lightning_modules.resumed_settings import refuse_changes, select_settings
from lightning_modules.saved_weights import OBJECTIVE
from tasks import InputError


def keep_plain_hyperparameters(module: L.LightningModule, **replaced: Any) -> None:
    """Save the constructor's arguments as YAML would have them, whether YAML or Python gave them.

    Call it at the end of `__init__`; `load_from_checkpoint` then works without arguments and under `weights_only=True`.

    Args:
        module: The module, all of whose arguments are annotated.
        replaced: Values to save in the place of the given ones.
    """
    frame = inspect.currentframe()
    module.save_hyperparameters(frame=frame.f_back if frame else None, logger=False)
    if INSTANTIATOR not in module.hparams:  # built from Python: LightningCLI saves plain data itself
        plain = {name: to_plain(value) for name, value in module.hparams.items()}
        module.hparams.update({**plain, INSTANTIATOR: "lightning.pytorch.cli.instantiate_module"})
    module.hparams.update(to_plain(replaced))


def check_fit(checkpoint: Mapping[str, Any], weights: Mapping[str, Tensor], *, otherwise: str = "") -> None:
    """Check that a checkpoint's weights are those of the module that is about to load it.

    Args:
        checkpoint: A Lightning checkpoint.
        weights: The module's `state_dict`.
        otherwise: What else can be done with a checkpoint of other heads, for the message.

    Raises:
        InputError: If not; the message names the difference.
    """
    found = {name: tuple(tensor.shape) for name, tensor in checkpoint["state_dict"].items()}
    expected = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    for name in sorted({*found, *expected}):
        if found.get(name) != expected.get(name):
            here, there = (f"of shape {shapes[name]}" if name in shapes else "none" for shapes in (expected, found))
            what = "weighting, surgery or regulariser" if name.startswith(OBJECTIVE) else "tasks, heads or backbone"
            raise InputError(
                f"the checkpoint does not fit: {name} is {there} there, {here} here (other {what}?"
                f"{otherwise if name.startswith('heads.') else ''})"
            )


def check_resumable(
    checkpoint: Mapping[str, Any],
    trained: Sequence[str],
    hparams: Mapping[str, Any],
    dropouts: Mapping[str, float] | None = None,
) -> None:
    """Check that a training can go on from a checkpoint that fits its module (see `check_fit`).

    Args:
        checkpoint: A Lightning checkpoint.
        trained: Names of the weights that train, in the order of the module's `state_dict`.
        hparams: The module's hyperparameters.
        dropouts: Its dropout probabilities, see `list_dropouts`; None for those of its backbone's files alone.

    Raises:
        InputError: If it holds weights only, or in another order, or its optimiser, objective or dropout had other
            settings.
    """
    if "optimizer_states" not in checkpoint:
        raise InputError("the checkpoint holds weights only, training cannot go on from it (expected a last.ckpt)")
    known = set(trained)
    places = zip((name for name in checkpoint["state_dict"] if name in known), trained, strict=True)
    moved = next((names for names in places if names[0] != names[1]), None)
    if moved:  # an optimiser knows its weights by their places
        raise InputError(
            f"the checkpoint's weights stand in another order: {moved[0]} there where {moved[1]} stands here, so its "
            "optimiser cannot go on (expected the tasks in the same order)"
        )
    optimizer = to_plain(OptimizerSettings())
    old, new = (
        select_settings(each, optimizer=optimizer) for each in (checkpoint.get("hyper_parameters", {}), hparams)
    )
    now = dropouts or {}
    refuse_changes({**old, **checkpoint.get("dropout", now)}, {**new, **now})  # earlier versions did not save it


def to_plain(value: Any) -> Any:
    """Turn settings into dicts, lists, strings and numbers in the form that LightningCLI's YAML has.

    Args:
        value: A task, an adapter, a loss, a settings dataclass, a class or `functools.partial` of one, or a container
            of these.

    Returns:
        Plain data; classes, and dataclasses with an abstract base, become `{class_path, init_args}`.

    Raises:
        TypeError: If a value has no such form.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): to_plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(entry) for entry in value]
    if isinstance(value, type):
        return {"class_path": _path(value)}
    if isinstance(value, partial):
        factory = next((part for part in (*value.args, value.func) if isinstance(part, type)), value.func)
        return {**to_plain(factory), "init_args": to_plain(value.keywords)}  # jsonargparse: partial(call, class, ...)
    if is_dataclass(value):
        arguments = {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
        is_choice = isinstance(type(value), ABCMeta)  # one of several classes, such as a task or a loss
        return {"class_path": _path(type(value)), "init_args": arguments} if is_choice else arguments
    raise TypeError(f"{value!r} cannot be a hyperparameter (expected plain data, a class or a partial of one)")


def _path(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
