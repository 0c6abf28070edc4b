"""Commands that look before a training: how their options are typed, and a model that waits until it is asked for."""

import argparse
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

from jsonargparse import ArgumentParser, Namespace

from command_line.settings import CONFIG_FLAGS
from tasks import InputError

T = TypeVar("T")


def allow_bare_switches(actions: Iterable[argparse.Action], names: Collection[str]) -> None:
    """Let `--strict` stand for `--strict true`, for each of the options whose default is false."""
    for action in actions:
        if action.dest in names and action.default is False:
            action.nargs, action.const = "?", True


def add_switch(parser: ArgumentParser, name: str, help: str) -> None:
    """Add an option that is off, which is in no saved configuration; `NAME` stands for `NAME true`."""
    action = parser.add_argument(name, type=bool, default=argparse.SUPPRESS, help=help)
    action.nargs, action.const = "?", True


def shorten_to_trial(config: Namespace) -> None:
    """Make the configuration of a training, in place, one of a batch of each task that leaves no files.

    A linear probe is left out, and the vectors of a frozen backbone are computed for these batches alone.

    Args:
        config: All settings of `fit`.

    Raises:
        InputError: If it is to go on from a checkpoint, behind whose steps it would have none.
    """
    if config.get("ckpt_path") is not None:
        raise InputError("--dry_run tries a new training (expected no --ckpt_path)")
    config.trainer.fast_dev_run = len(config.tasks)
    config.model.linear_probe_epochs = 0
    config.model.cache_vectors = False


def defer(class_type: Callable[..., T], *args: Any, applied_instantiation_links: Any, **kwargs: Any) -> Callable[[], T]:
    """Return a function that builds a class; jsonargparse calls this in the place of the class itself."""
    return partial(class_type, *args, **kwargs)


def with_config(arguments: Sequence[str], path: str) -> list[str]:
    """Return a command line with another file in the place of its last `-c`, and without `--against`.

    Args:
        arguments: The command line: a command, then its flags.
        path: The other file.

    Example:
        >>> with_config(["plan", "-c", "a.yaml", "--against", "b.yaml", "--data.root=d"], "b.yaml")
        ['plan', '-c', 'b.yaml', '--data.root=d']
    """
    units: list[list[str]] = []  # of a flag and, where it is not joined by "=", its value
    configs: list[int] = []
    words = iter(arguments)
    for word in words:
        name, joined, _ = word.partition("=")
        unit = [word, *([] if joined or name not in (*CONFIG_FLAGS, "--against") else [next(words, "")])]
        if name in CONFIG_FLAGS:
            configs.append(len(units))
        if name != "--against":
            units.append(unit)
    last = configs[-1] if configs else 1  # behind the command
    units[last : last + len(configs[-1:])] = [["-c", path]]
    return [word for unit in units for word in unit]
