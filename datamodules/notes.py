"""What is worth telling about a file, in few sentences."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
SHOWN = 5  # notes of one kind


def telling_once(tell: Callable[[str], None]) -> Callable[[str], None]:
    """Return what tells each sentence the first time alone: several splits may be read from one file.

    Example:
        >>> told = []
        >>> tell = telling_once(told.append)
        >>> for note in ("a.csv: odd", "b.csv: odd", "a.csv: odd"): tell(note)
        >>> told
        ['a.csv: odd', 'b.csv: odd']
    """
    told = set[str]()

    def tell_new(note: str) -> None:
        if note not in told:
            told.add(note)
            tell(note)

    return tell_new


class Notes:
    """Collects sentences about a source without its path, so that they fit equal bytes under another name.

    Args:
        path: Path (or hub name) that most sentences begin with.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._kept: list[str] = []
        self._counts: Counter[str] = Counter()

    def add(self, note: str) -> None:
        """Keep a sentence; of one kind, which is all but the place, the first few are kept and the others counted."""
        tail = note.removeprefix(self._path) if note.startswith(self._path) else f": {note}"
        kind = tail.rpartition(": ")[2] if tail.startswith(": ") else tail.partition(": ")[2]
        self._counts[kind] += 1
        if self._counts[kind] <= SHOWN:
            self._kept.append(tail)

    def collect(self, items: Iterable[T], lines: list[str]) -> Iterator[T]:
        """Pass items through; after the last one, put what stands behind the path of each sentence into `lines`."""
        yield from items
        lines += self._kept
        lines += [f": {count - SHOWN} more: {kind}" for kind, count in self._counts.items() if count > SHOWN]
