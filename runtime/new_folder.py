"""Folders that a command makes, which are either whole or not there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.errors import InputError
from runtime.whole_files import is_filled, replacing_folder


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a folder beside the target, which takes its place once the block is through.

    Args:
        folder: The target, new or empty; the folder around it is made.

    Raises:
        InputError: If the target holds something, or is named by dots alone.
    """
    check_new(folder)
    with replacing_folder(folder) as partial:
        yield partial


def check_new(folder: Path) -> None:
    """Refuse a folder that holds something, before the work that would fill it.

    Raises:
        InputError: If it holds something, or is named by dots alone.
    """
    if folder.name in ("", ".."):
        raise InputError(f"{folder}: has no name of its own (expected the name of a new or empty folder)")
    if is_filled(folder):
        raise InputError(f"{folder}: holds something already (expected a new or empty folder)")
