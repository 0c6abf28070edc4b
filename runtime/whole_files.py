"""Files and folders that are either whole or not there."""

import errno
import io
import os
import platform
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TextIO

SUFFIX = ".partial"
PARTIAL = re.compile(rf"\..+\.\d+{re.escape(SUFFIX)}")  # .<target>.<machine>.<process>.partial
OPEN_FILE = re.compile(r"/dev/(stdin|stdout|stderr|fd/\d+)|/proc/\w+/fd/\d+")
LEFT_BEHIND_AFTER = 24 * 60 * 60  # seconds without a change, where the writer's machine cannot be asked


@contextmanager
def replacing_path(target: Path) -> Iterator[Path]:
    """Return the path of a file to write beside the target, which takes its place once it is whole and on the disk.

    What killed writers of the same target left behind is removed.

    Args:
        target: The target; its folder is made. It stays as it was where the block or the writing fails.
    """
    partial = _beside(target)
    try:
        with _named_as(target, partial):
            yield partial
            publish(partial, target)
    finally:
        with suppress(OSError):  # it has moved, or was never there; what went wrong before is to be told
            partial.unlink()


@contextmanager
def replacing(target: Path) -> Iterator[IO[bytes]]:
    """Open a file beside the target, as `replacing_path`; a pipe or device such as /dev/stdout is written itself."""
    if _is_stream(target) or target.is_dir():
        with target.open("wb") as file:
            yield file
        return
    with replacing_path(target) as partial, partial.open("wb") as file:
        yield file


@contextmanager
def replacing_text(target: Path) -> Iterator[TextIO]:
    """Open a text file as `replacing` does: in UTF-8, line ends as they are written."""
    with replacing(target) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield text
        text.detach()


@contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Make a folder beside the target, which takes its place once the block has filled it.

    Args:
        target: The target, new or empty; its parent is made. It stays as it was where the block fails.
    """
    partial = _beside(target)
    try:
        with _named_as(target, partial):
            partial.mkdir()
            yield partial
            os.replace(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _named_as(target: Path, partial: Path) -> Iterator[None]:
    """Let an error of the partial file or folder have the name of its target, which a message is to have."""
    try:
        yield
    except OSError as error:
        if str(error.filename) == str(partial):
            error.filename = str(target)
        raise


def publish(partial: Path, target: Path) -> None:
    """Move a finished file to its place once its bytes are on the disk."""
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(partial, target)


def check_place(target: Path) -> None:
    """Raise OSError where a file or folder could not be written later; the folder around it is made."""
    if _is_stream(target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}."):
        pass


def check_file(target: Path) -> None:
    """Raise OSError where a file could not be written later, a folder among them; the folder around it is made."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    check_place(target)


def is_filled(folder: Path) -> bool:
    """Whether a path is taken: by a file, or by a folder that holds something."""
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))


def _is_stream(path: Path) -> bool:
    """Whether a path is a pipe, a device, or what a process has open, such as /dev/stdout where that is a file."""
    is_special = path.exists() and not path.is_file() and not path.is_dir()
    return is_special or OPEN_FILE.fullmatch(os.path.abspath(path)) is not None


def _beside(target: Path) -> Path:
    """Return a free path of this process's own in the folder of the target, which several machines may share."""
    target.parent.mkdir(parents=True, exist_ok=True)
    own = target.with_name(f".{target.name}.{platform.node()}.{os.getpid()}{SUFFIX}")
    remove_left_behind(path for path in target.parent.iterdir() if path.name.startswith(f".{target.name}."))
    with suppress(OSError):  # an earlier process may have had the same number
        _remove(own)
    return own


def remove_left_behind(paths: Iterable[Path]) -> None:
    """Remove what killed writers left behind: partial files and folders whose writer has ended.

    Args:
        paths: Files and folders; whole ones stay.
    """
    for path in paths:
        with suppress(OSError):  # another user's, or its writer has just ended
            if PARTIAL.fullmatch(path.name) and _is_left_behind(path):
                _remove(path)


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _is_left_behind(partial: Path) -> bool:
    """Whether the writer of a partial file or folder has ended."""
    found = re.fullmatch(rf".*\.{re.escape(platform.node())}\.(\d+){re.escape(SUFFIX)}", partial.name)
    if found is None or os.name != "posix":  # elsewhere os.kill ends the process
        return time.time() - partial.stat().st_mtime > LEFT_BEHIND_AFTER
    try:
        os.kill(int(found[1]), 0)
    except ProcessLookupError:
        return True
    return False
