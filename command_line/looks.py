"""Commands that look before a training: how their options are typed, and a model that waits until it is asked for."""

import argparse
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


def allow_bare_switches(actions: Iterable[argparse.Action], names: Collection[str]) -> None:
    """Let `--strict` stand for `--strict true`, for each of the options whose default is false."""
    for action in actions:
        if action.dest in names and action.default is False:
            action.nargs, action.const = "?", True


def defer(class_type: Callable[..., T], *args: Any, applied_instantiation_links: Any, **kwargs: Any) -> Callable[[], T]:
    """Return a function that builds a class; jsonargparse calls this in the place of the class itself."""
    return partial(class_type, *args, **kwargs)
