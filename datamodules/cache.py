"""The folder of tokenised files: whole files or none, whatever happened to the machine."""

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from tasks import InputError

log = logging.getLogger(__name__)

T = TypeVar("T")
PARTIAL = ".partial-"
LEFT_BEHIND_AFTER = 24 * 60 * 60  # seconds without a change; a live writer writes more often


def open_cached(target: Path, *, write: Callable[[], None], read: Callable[[], T]) -> T:
    """Open a file of the cache, after writing it if it is missing or damaged.

    Args:
        target: The file.
        write: Writes it.
        read: Opens it.

    Raises:
        InputError: If the folder cannot be written, or from `write`.
    """
    if target.is_file():
        try:
            return read()
        except (OSError, ValueError, KeyError) as error:  # of JSON, of the mapping, of Arrow
            log.warning("%s: damaged, it is made anew (%s)", target, error)
    try:
        write()
    except OSError as error:
        raise InputError(f"data.cache_dir {target.parent}: cannot be written ({error})") from None
    return read()


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
