"""Which options of Lightning's Trainer work here: checked before anything is built or read."""

import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as L
from jsonargparse import Namespace
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.accelerators import Accelerator, CPUAccelerator, CUDAAccelerator, MPSAccelerator
from lightning.pytorch.callbacks import (
    BatchSizeFinder,
    GradientAccumulationScheduler,
    LearningRateFinder,
    ProgressBar,
    ThroughputMonitor,
    Timer,
)

from tasks import InputError

DEVICES = re.compile(r"auto|-1|[1-9]\d*|\d+(,\d+)+|\d+,")
DURATION = re.compile(r"\d+:\d+:\d+:\d+")


@dataclass(frozen=True)
class Option:
    """The values of a Trainer option that work.

    Args:
        expected: What they are, for the message.
        fits: Whether a value, as the configuration has it, is one of them. Values of the wrong type never come here.
    """

    expected: str
    fits: Callable[[Any], bool]


def _at_least(least: float, *, or_none: bool = True) -> Option:
    expected = f"{least} or more"
    return Option(expected, lambda value: value >= least if value is not None else or_none)


def _only(value: object, instead: str) -> Option:
    return Option(instead, lambda given: given is None or (given == value))


def _one_of(*values: str | None) -> Option:
    named = [str(value) for value in values if value is not None]
    return Option(", ".join(named), lambda given: given is None or not isinstance(given, str) or given in values)


def _limit(*, zero: bool) -> Option:
    """Return the option of a number of batches, or of a share of them."""
    expected = f"a share {'from 0' if zero else 'above 0, up'} to 1, or a whole number of batches"
    return Option(expected, lambda value: value is None or _is_limit(value, zero=zero))


def _is_limit(value: float, *, zero: bool) -> bool:
    in_range = isinstance(value, int) or value <= 1  # 2.0 would be 2 batches for some, 200 % for others
    return in_range and (value > 0 or (zero and value == 0))


def _is_interval(value: Any) -> bool:
    return _is_duration(value) if isinstance(value, str | Mapping) else _limit(zero=False).fits(value)


def _is_duration(value: Any) -> bool:
    return not isinstance(value, str) or DURATION.fullmatch(value) is not None


def _is_devices(value: Any) -> bool:
    return bool(value) if isinstance(value, list) else DEVICES.fullmatch(str(value).replace(" ", "")) is not None


def _is_accelerator(value: Any) -> bool:
    kinds: dict[str, type[Accelerator]] = {"cpu": CPUAccelerator, "cuda": CUDAAccelerator, "mps": MPSAccelerator}
    found = {name for name, kind in kinds.items() if kind.is_available()}
    return not isinstance(value, str) or value in {"auto", *found, *(("gpu",) if found - {"cpu"} else ())}


ANY = Option("", lambda value: True)
OPTIONS: Mapping[str, Option] = {
    "accelerator": Option("auto, cpu, or cuda, mps or gpu where PyTorch finds one", _is_accelerator),
    "strategy": _one_of("auto", "ddp", "ddp_find_unused_parameters_true"),
    "devices": Option("auto, -1 for all, a number from 1 or a list such as '0,1'", _is_devices),
    "num_nodes": _at_least(1, or_none=False),
    "precision": ANY,  # lightning_modules/acceleration.py refuses some
    "logger": ANY,
    "callbacks": ANY,  # but see REFUSED_CALLBACKS
    "fast_dev_run": _at_least(0, or_none=False),
    "max_epochs": _at_least(-1),
    "min_epochs": _at_least(0),
    "max_steps": _at_least(-1, or_none=False),
    "min_steps": _at_least(0),
    "max_time": Option("DAYS:HOURS:MINUTES:SECONDS, such as 00:12:00:00", _is_duration),
    "limit_train_batches": _limit(zero=False),
    "limit_val_batches": _limit(zero=True),
    "limit_test_batches": _limit(zero=True),
    "limit_predict_batches": _limit(zero=True),
    "overfit_batches": _only(0, "0; to train on the same few examples: --tasks.NAME.train_limit of each task"),
    "val_check_interval": Option(
        "a share of an epoch above 0, up to 1, a whole number of batches, or DAYS:HOURS:MINUTES:SECONDS", _is_interval
    ),
    "check_val_every_n_epoch": _at_least(1),
    "num_sanity_val_steps": _at_least(-1),
    "log_every_n_steps": _at_least(0),
    "enable_checkpointing": _only(
        True,
        "true; --checkpoint.every_n_train_steps 0 writes last.ckpt at the end only, --best_checkpoint.save_top_k 0 "
        "keeps no best weights",
    ),
    "enable_progress_bar": ANY,
    "enable_model_summary": ANY,
    "accumulate_grad_batches": _at_least(1, or_none=False),
    "gradient_clip_val": _at_least(0),
    "gradient_clip_algorithm": _one_of("norm", "value"),
    "deterministic": ANY,
    "benchmark": ANY,
    "inference_mode": ANY,
    "use_distributed_sampler": _only(False, "false; the data module divides the rows between the processes"),
    "profiler": _one_of("simple", "advanced", "pytorch"),
    "detect_anomaly": ANY,
    "barebones": _only(False, "false; --trainer.fast_dev_run true leaves no files either"),
    "plugins": ANY,
    "sync_batchnorm": ANY,
    "reload_dataloaders_every_n_epochs": _at_least(0, or_none=False),
    "default_root_dir": ANY,
    "enable_autolog_hparams": ANY,
    "model_registry": _only(None, "null; inference.export writes a model for others"),
}

REFUSED_CALLBACKS: Mapping[type[L.Callback], str] = {
    Timer: "--trainer.max_time DAYS:HOURS:MINUTES:SECONDS",
    GradientAccumulationScheduler: "--trainer.accumulate_grad_batches N; the learning rate's schedule needs one number",
    LearningRateFinder: "--model.optimizer.lr; experiments compares several",
    BatchSizeFinder: "--data.batch_size",
    ThroughputMonitor: "examples_per_second in report.json",
}


def check_trainer(options: Namespace) -> None:
    """Refuse what does not work here.

    Args:
        options: `trainer` of the configuration.

    Raises:
        InputError: If a value or a callback does not work.
    """
    for name, option in OPTIONS.items():
        value = options.get(name)
        if name in options and not option.fits(value):
            raise InputError(f"trainer.{name} is {value} (expected {option.expected})")
    if options.get("check_val_every_n_epoch", 1) is None and isinstance(options.get("val_check_interval"), float):
        raise InputError(
            f"trainer.val_check_interval is {options['val_check_interval']}, a share of an epoch, while "
            "check_val_every_n_epoch is null (expected a whole number of batches or a time)"
        )
    for kind in callback_classes(options):
        _check_callback(kind, has_bar=options.get("enable_progress_bar") is not False)


def _check_callback(kind: type, *, has_bar: bool) -> None:
    for refused, instead in REFUSED_CALLBACKS.items():
        if issubclass(kind, refused):
            raise InputError(f"trainer.callbacks: {kind.__name__} does not work here (expected {instead})")
    if issubclass(kind, ProgressBar) and not has_bar:
        raise InputError(
            f"trainer.callbacks has {kind.__name__}, but trainer.enable_progress_bar is false (expected one "
            "or the other)"
        )


def callback_classes(options: Namespace) -> list[type]:
    """Return the classes of the callbacks that a configuration names."""
    given = options.get("callbacks") or []
    paths = [callback.class_path for callback in (given if isinstance(given, Sequence) else [given])]
    named = map(pkgutil.resolve_name, paths)
    return [each for each in named if isinstance(each, type)]  # a function may build one too


@contextmanager
def refusing_misconfiguration(*more: type[Exception]) -> Iterator[None]:
    """Make what Lightning refuses an InputError.

    Args:
        more: Other errors that can only come from the user's values.
    """
    try:
        yield
    except (MisconfigurationException, *more) as error:
        raise InputError(f"trainer: {' '.join(str(error).split())}") from error
