"""Label cells that hold no label, and what is said of them."""

from collections import Counter

from runtime.errors import InputError
from tasks.source import Split

SHOWN_LABELS = 8


class UnknownLabelError(InputError):
    """A label cell holds no label.

    Args:
        where: File and line.
        label: Name of the column.
        cell: What it holds.
        expected: What was expected.
    """

    def __init__(self, where: str, label: str, cell: str, expected: str) -> None:
        super().__init__(f"{where}: {label} is {cell!r} (expected {expected})")
        self.cell = cell


class UnknownLabels:
    """Label cells of a split that hold no label, counted.

    Args:
        split: Which split.
    """

    def __init__(self, split: Split) -> None:
        self._split = split
        self._first = ""
        self._found = Counter[str]()

    def add(self, error: UnknownLabelError) -> None:
        """Count one more."""
        self._first = self._first or str(error)
        self._found[error.cell] += 1

    def __bool__(self) -> bool:
        return bool(self._found)

    def __str__(self) -> str:
        """Name the first and, of several, how often each appears; nothing where there was none."""
        total = self._found.total()
        if total < 2:
            return self._first
        shown = ", ".join(f"{cell!r} {count:,}" for cell, count in self._found.most_common(SHOWN_LABELS))
        more = f", ... ({len(self._found):,} different ones)" if len(self._found) > SHOWN_LABELS else ""
        rest = f"{total:,} rows of the {self._split} split hold no such label: {shown}{more}"
        return f"{self._first.removesuffix(')')}; {rest})"
