"""Folders that are either whole or not there."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks import InputError


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a folder beside the target, which takes its place once the block is through.

    Args:
        folder: The target, new or empty; the folder around it is made.

    Raises:
        InputError: If the target holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: holds something already (expected a new or empty folder)")
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(parents=True)
        yield partial
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
