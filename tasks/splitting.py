"""One file as a train and a dev split: which rows belong to which."""

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from runtime.errors import InputError
from tasks.assignment import assign_parts, join_rows
from tasks.cells import Row
from tasks.normalising import normalise
from tasks.split_rule import SplitRule

BINS = 10  # strata of a score: its tenths by rank


class ReadRows(Protocol):
    """Reads the rows of the whole file, with the cells of some columns."""

    def __call__(self, columns: Collection[str], report: Callable[[str], None]) -> Iterator[Row]:
        """Return the rows in order."""


@dataclass(frozen=True, kw_only=True)
class SplitKeys:
    """What decides where a row goes, beside the settings of the source.

    Args:
        texts: Text columns: rows whose texts are equal, sides of pairs swapped or not, stay together.
        labels: Columns of the label, by which the split is stratified; none without labels.
        read_label: Returns the class or score of a row, None for a row without.
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()
    read_label: Callable[[Row], object] = lambda row: None

    def columns(self, rule: SplitRule) -> list[str]:
        """Return the columns that are read."""
        return [*self.texts, *filter(None, [rule.group]), *([rule.stratify] if rule.stratify else self.labels)]

    def stratum(self, row: Row, rule: SplitRule) -> object:
        """Return what a row is stratified by; None where the cell is empty or holds no label."""
        return self.read_label(row) if rule.stratify is None else _cell(row, rule.stratify) or None


def choose_rows(
    split: Literal["train", "dev"],
    rule: SplitRule,
    keys: SplitKeys,
    columns: Collection[str],
    *,
    read: ReadRows,
    check: Callable[[Row, Iterable[str]], None],
    report: Callable[[str], None],
) -> Iterator[Row]:
    """Return the rows of a split in the order of the file, which is read twice.

    In memory are about 250 bytes a row. A row of which a text is empty is none to learn from or to score; it is left to
    the train split, whose reader says what becomes of it.

    Args:
        split: Which split.
        rule: How the file is split.
        keys: What else decides where a row goes.
        columns: The columns that are used.
        read: Reads the file.
        check: Checks that columns are there, given the first row.
        report: Called with a sentence on the sizes and on what is odd; only for the train split.

    Returns:
        Rows that know their number in the file.

    Raises:
        InputError: If the file is wrong or lacks a column, there are fewer groups than folds, or a split is empty.
    """
    is_dev = find_dev_rows(rule, keys, read=read, check=check, report=report if split == "train" else _ignore)
    for number, row in enumerate(read(columns, report)):
        if is_dev[number] == (split == "dev"):
            yield replace(row, number=number)


def find_dev_rows(
    rule: SplitRule,
    keys: SplitKeys,
    *,
    read: ReadRows,
    check: Callable[[Row, Iterable[str]], None],
    report: Callable[[str], None],
) -> NDArray[np.bool_]:
    """Return whether each row of a file is in the dev split, (n,); the arguments are those of `choose_rows`."""
    columns = keys.columns(rule)
    rows, texts, groups, strata, size, where = [], list[int](), list[str | None](), list[object](), 0, ""
    for number, row in enumerate(read(columns, _ignore)):
        if number == 0:
            check(row, columns)
            where = row.where.rsplit(", ", 1)[0]
        size = number + 1
        cells = [_cell(row, column) for column in keys.texts]
        if all(cells):
            rows.append(number)
            texts.append(hash_texts(cells))
            groups.append(_cell(row, rule.group) or None)
            strata.append(keys.stratum(row, rule))
    is_dev = np.zeros(size, np.bool_)
    if rows:
        hashed = np.array(texts, np.uint64)
        clusters = join_rows(hashed, groups)
        parts = assign_parts(hashed, clusters, number_strata(strata), rule.shares)
        _check_parts(parts, int(clusters.max()) + 1, rule, where)
        is_dev[rows] = parts == rule.dev_part
        report(f"{where}: {int(is_dev.sum()):,} of {len(rows):,} rows are the dev split ({rule.describe()})")
    return is_dev


def hash_texts(texts: Sequence[str]) -> int:
    """Return a number for the texts of a row: equal for equal texts, in either order, in every process.

    Example:
        >>> hash_texts(["What's up?", "Hello"]) == hash_texts(["hello!", "what s up"]), hash_texts(["a"])
        (True, 3405396810240292928)
    """
    joined = "\0".join(sorted(map(normalise, texts)))
    return int.from_bytes(hashlib.blake2b(joined.encode(), digest_size=8).digest(), "little")


def number_strata(values: Sequence[object]) -> NDArray[np.int64]:
    """Number the strata of rows, (n,): classes as they are, scores by their tenths, rows without a label as one.

    Args:
        values: Class, score or None of each row, [n].

    Example:
        >>> number_strata(["b", None, "a", "b"]).tolist(), number_strata([0.5, 4.0, 0.5, None, 2.0]).tolist()
        ([2, 0, 1, 2], [1, 3, 1, 0, 2])
    """
    scores = sorted(value for value in values if isinstance(value, float))
    if scores:
        edges = sorted({scores[len(scores) * step // BINS] for step in range(1, BINS)})
        values = [bisect_left(edges, value) if isinstance(value, float) else None for value in values]
    names = sorted({repr(value) for value in values if value is not None})
    numbers = {name: number for number, name in enumerate(names, start=1)}
    return np.array([0 if value is None else numbers[repr(value)] for value in values], np.int64)


def refuse_shared_groups(test: Iterator[Row], others: Iterable[Row], group: str) -> Iterator[Row]:
    """Return the rows of a test file, of which no group may be one of the other file; without the column all pass.

    Args:
        test: Rows of the test file.
        others: Rows of the file that is split.
        group: Column of the group.

    Raises:
        InputError: If a group is in both files.
    """
    known: dict[str, str] | None = None
    for row in test:
        if known is None:
            has_groups = group in row.fields
            known = {_cell(other, group): other.where for other in others} if has_groups else {}
        name = _cell(row, group)
        if name and name in known:
            raise InputError(f"{row.where}: {group} {name!r} is in {known[name]} too (expected a group in one file)")
        yield row


def _check_parts(parts: NDArray[np.int64], clusters: int, rule: SplitRule, where: str) -> None:
    """Raise an error unless every part has rows."""
    things = "different texts" if rule.group is None else f"groups by {rule.group} that share no text"
    if clusters < len(rule.shares):
        wanted = "two splits" if rule.folds is None else f"{rule.folds} folds"
        raise InputError(f"{where}: has {clusters} {things} for {wanted} (expected {len(rule.shares)} or more)")
    sizes = np.bincount(parts, minlength=len(rule.shares))
    if not sizes.all():
        empty = int(np.argmin(sizes))
        name = f"fold {empty}" if rule.folds is not None else "the dev split" if empty == 0 else "the train split"
        raise InputError(
            f"{where}: {rule.describe()} leaves {name} empty, of {len(parts):,} rows with {clusters:,} {things} "
            f"(expected {'fewer folds' if rule.folds is not None else 'another dev_share'})"
        )


def _cell(row: Row, column: str | None) -> str:
    return ((row.fields.get(column) if column else None) or "").strip()


def _ignore(note: str) -> None:
    """Drop a sentence that another reading of the file reports."""
