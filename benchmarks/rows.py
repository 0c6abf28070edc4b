"""Sentence pairs of a CS224N-format file, as plain data."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from runtime.errors import InputError

LABELS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1}
COLUMNS = ("id", "sentence1", "sentence2", "is_duplicate")


class Pair(NamedTuple):
    """Two questions, and whether they ask the same (0 or 1)."""

    first: str
    second: str
    label: int


def read_pairs(path: Path) -> list[Pair]:
    """Read the pairs of a tab-separated file with columns sentence1, sentence2 and is_duplicate.

    Rows with an empty sentence or label are skipped.

    Raises:
        InputError: If it is no such table, a column is missing, a label is neither 0 nor 1, or no row is usable.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, delimiter="\t")
            missing = set(COLUMNS[1:]) - set(reader.fieldnames or ())
            if missing:
                raise InputError(
                    f"{path}: no column {', '.join(sorted(missing))} (expected tab-separated CS224N pairs)"
                )
            pairs = list(_usable(path, reader))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: {error} (expected tab-separated CS224N pairs in UTF-8)") from None
    if not pairs:
        raise InputError(f"{path}: has no row with two sentences and a label")
    return pairs


def _usable(path: Path, reader: "csv.DictReader[str]") -> Iterator[Pair]:
    for row in reader:
        first, second, label = (" ".join((row[name] or "").split()) for name in COLUMNS[1:])
        if not (first and second and label):
            continue
        if label not in LABELS:
            raise InputError(f"{path}, line {reader.line_num}: is_duplicate is {label} (expected 0 or 1)")
        yield Pair(first, second, LABELS[label])


def write_pairs(path: Path, pairs: Iterable[Pair]) -> None:
    """Write pairs in the format that `read_pairs` reads, with numbers as ids."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["", *COLUMNS])
        writer.writerows([number, f"row-{number}", *pair] for number, pair in enumerate(pairs))
