"""Label cells of a file into label values, and back."""

import math
import re
from collections.abc import Sequence

from runtime.counts import counted

SHOWN_NAMES = 20
NUMBER = re.compile(r"-?\d+")
WHOLE = re.compile(r"-?\d+\.0+")  # how data frames write the whole numbers of a column with gaps
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


def list_names(names: Sequence[str]) -> str:
    """Return names for a message; of many, the first and how many there are.

    Example:
        >>> list_names(["no", "yes"])
        'no, yes'
        >>> list_names([str(number) for number in range(1000)])[-30:]
        '17, 18, 19, ... (1,000 in all)'
    """
    more = f", ... ({len(names):,} in all)" if len(names) > SHOWN_NAMES else ""
    return ", ".join(names[:SHOWN_NAMES]) + more


def name_classes(num_classes: int | None, classes: Sequence[str | int] | None) -> tuple[str, ...]:
    """Return the classes as they stand in the file.

    Args:
        num_classes: Number of classes, when the file numbers them 0, 1, ...
        classes: Their names otherwise.

    Raises:
        ValueError: If neither or both are given, there are fewer than two, or a name appears twice.
    """
    if (num_classes is None) == (classes is None):
        raise ValueError("expected either num_classes (labels 0, 1, ...) or classes (labels by name)")
    names = tuple(str(name) for name in (range(num_classes) if num_classes is not None else classes or ()))
    if len(names) < 2:
        raise ValueError(f"has {counted(len(names), 'class', 'classes')} (expected at least 2)")
    if len(set(names)) < len(names):
        raise ValueError(f"a class appears twice in {list_names(names)}")
    return names


def parse_class(cell: str, names: Sequence[str], *, numbered: bool) -> int:
    """Return the index of the class in a cell.

    Args:
        cell: The label as it stands in the file; where all classes are numbers, `3.0` means `3`.
        names: The classes.
        numbered: Whether the classes are numbers.

    Raises:
        ValueError: If the cell is no class; the message says what was expected.
    """
    if cell in names:
        return names.index(cell)
    if WHOLE.fullmatch(cell) and (whole := cell.partition(".")[0]) in names and all(map(NUMBER.fullmatch, names)):
        return names.index(whole)
    if numbered:
        number = _parse_number(cell)
        if number.is_integer() and 0 <= number < len(names):
            return int(number)
        raise ValueError("0 or 1" if len(names) == 2 else f"0 to {len(names) - 1}")
    raise ValueError(list_names(names))


def parse_score(cell: str, low: float, high: float) -> float:
    """Return the score in a cell.

    Raises:
        ValueError: If the cell is no number from `low` to `high`; the message says what was expected.
    """
    score = _parse_number(cell)
    if not low <= score <= high:
        form = ", with a point for the decimals, or decimal: ','" if DECIMAL_COMMA.fullmatch(cell) else ""
        raise ValueError(f"a number from {low:.15g} to {high:.15g}{form}")
    return score


def _parse_number(cell: str) -> float:
    """Return a number as files write it, NaN for anything else: Python's own forms, such as 1_000, are none."""
    try:
        return float(cell) if "_" not in cell else math.nan
    except ValueError:
        return math.nan
