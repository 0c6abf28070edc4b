"""The folder of tokenised files: whole files or none, whatever happened to the machine."""

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from tasks import InputError

log = logging.getLogger(__name__)

T = TypeVar("T")
PARTIAL = ".partial-"
LEFT_BEHIND_AFTER = 24 * 60 * 60  # seconds without a change; a live writer writes more often


def open_cached(target: Path, *, write: Callable[[Path], None], read: Callable[[Path], T]) -> T:
    """Open a file of the cache, after writing it if it is missing or damaged.

    Where nothing can be written into the cache, the file lies in a temporary folder, which ends with this process.

    Args:
        target: The file.
        write: Writes a file.
        read: Opens it.

    Raises:
        InputError: If there is no space left, or from `write`.
    """
    found = _read_whole(target, read)
    if found is not None:
        return found
    refusal = _find_refusal(target.parent)
    if refusal is not None:
        return open_cached(Path(_substitute(target.parent, refusal).name) / target.name, write=write, read=read)
    try:
        write(target)
    except OSError as error:
        raise InputError(f"data.cache_dir {target.parent}: cannot be written ({error})") from None
    return read(target)


def _read_whole(target: Path, read: Callable[[Path], T]) -> T | None:
    """Open a file; None where it is missing or damaged."""
    if not target.is_file():
        return None
    try:
        return read(target)
    except (OSError, ValueError, KeyError) as error:  # of JSON, of the mapping, of Arrow
        log.warning("%s: damaged, it is made anew (%s)", target, error)
        return None


def _find_refusal(folder: Path) -> str | None:
    """Return why nothing can be written into a folder; None where it can."""
    try:
        with partial_folder(folder):
            return None
    except OSError as error:
        return error.strerror or str(error)  # without the name of the file, another one at each try


@cache
def _substitute(folder: Path, refusal: str) -> "TemporaryDirectory[str]":
    """Return a temporary folder that ends with this process, and say so at the first call."""
    log.warning("data.cache_dir %s: cannot be written, nothing is kept (%s)", folder, refusal)
    return TemporaryDirectory(prefix="tandem-")


@contextmanager
def partial_folder(folder: Path) -> Iterator[Path]:
    """Return a folder of one's own inside the cache, gone at the end; remove those that killed writers left behind."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{PARTIAL}*"):
        if time.time() - _last_change(old) > LEFT_BEHIND_AFTER:
            shutil.rmtree(old, ignore_errors=True)
    with TemporaryDirectory(dir=folder, prefix=PARTIAL) as own:
        yield Path(own)


def _last_change(folder: Path) -> float:
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    except OSError:  # its writer has just ended
        return time.time()
