"""What is measured of a machine once and kept in a file: choices that depended on the moment's load change results."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

from runtime.whole_files import replacing

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)
T = TypeVar("T")


class Measured(Generic[T]):
    """Measurements by a name that says what, where and with which versions; a file that is lost costs time only.

    Args:
        memory: The file.
        what: What is measured, for messages.
        is_one: Whether a value of the file is such a measurement.
        instead: How to do without, for a message; nothing where there is no way.
    """

    def __init__(self, memory: Path, what: str, is_one: Callable[[Any], bool], *, instead: str = "") -> None:
        self.memory, self.what, self.is_one, self.instead = memory, what, is_one, instead

    def find(self, key: str, measure: Callable[[], T]) -> T:
        """Return what the file holds under a key, or measure it.

        Of processes that measure at the same time the first decides for all.
        """
        known = self._read()
        if key not in known:
            found = measure()
            with self._locked():
                known = {key: found, **self._read()}
                self._write(known)
        return known[key]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let nobody else read and write in the block, where the system can lock files and the folder be written."""
        with ExitStack() as open_files:
            with suppress(OSError):
                self.memory.parent.mkdir(parents=True, exist_ok=True)
                lock = open_files.enter_context(self.memory.with_suffix(".lock").open("ab"))
                if fcntl is not None:
                    fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read(self) -> dict[str, T]:
        try:
            found = json.loads(self.memory.read_text(encoding="utf-8")) if self.memory.is_file() else {}
        except (OSError, ValueError) as error:  # of the file, of its encoding, of JSON
            log.warning("%s: cannot be read, %s are measured anew (%s)", self.memory, self.what, error)
            return {}
        entries = found.items() if isinstance(found, dict) else ()
        return {key: value for key, value in entries if self.is_one(value)}

    def _write(self, known: Mapping[str, T]) -> None:
        try:
            with replacing(self.memory) as file:
                file.write(f"{json.dumps(known, indent=2)}\n".encode())
        except OSError as error:
            said = "; ".join(filter(None, [str(error), self.instead]))
            log.warning("%s: not written, the next run measures %s again (%s)", self.memory, self.what, said)
