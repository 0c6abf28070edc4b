"""Files and folders that are either whole or not there."""

import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO


@contextmanager
def replacing(target: Path) -> Iterator[IO[bytes]]:
    """Open a file beside the target, which takes its place once it is whole and on the disk.

    Args:
        target: The target; its folder is made. It stays as it was where the block or the writing fails.
    """
    partial = _beside(target)
    try:
        with partial.open("wb") as file:
            yield file
        publish(partial, target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Make a folder beside the target, which takes its place once the block has filled it.

    Args:
        target: The target, new or empty; its parent is made. It stays as it was where the block fails.
    """
    partial = _beside(target)
    partial.mkdir()
    try:
        yield partial
        os.replace(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def publish(partial: Path, target: Path) -> None:
    """Move a finished file to its place once its bytes are on the disk."""
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(partial, target)


def check_place(target: Path) -> None:
    """Raise OSError where a file or folder could not be written later; the folder around it is made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}."):
        pass


def is_filled(folder: Path) -> bool:
    """Whether a path is taken: by a file, or by a folder that holds something."""
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))


def _beside(target: Path) -> Path:
    """Return a path of this process's own in the folder of the target, which several machines may share."""
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.with_name(f".{target.name}.{platform.node()}.{os.getpid()}.partial")
