"""Sentence pairs of a CS224N-format file, as plain data."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

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
        ValueError: If a column is missing or the file has no usable row.
    """
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t")
        missing = set(COLUMNS[1:]) - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{path}: no column {', '.join(sorted(missing))} (expected tab-separated CS224N pairs)")
        cells = [[" ".join((row[name] or "").split()) for name in COLUMNS[1:]] for row in reader]
    pairs = [Pair(first, second, int(float(label))) for first, second, label in cells if first and second and label]
    if not pairs:
        raise ValueError(f"{path}: has no row with two sentences and a label")
    return pairs


def write_pairs(path: Path, pairs: Iterable[Pair]) -> None:
    """Write pairs in the format that `read_pairs` reads, with numbers as ids."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["", *COLUMNS])
        writer.writerows([number, f"row-{number}", *pair] for number, pair in enumerate(pairs))
