"""The same texts twice: in train and in what is evaluated, inside a split, or a side of a pair in both."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from checks.finding import SHOWN, Finding, Instance, Level, shorten
from checks.fingerprints import Keys
from checks.split_rows import SplitRows

MUCH = 0.01  # share of leaked rows from which on a score is another one


def find_first(keys: Keys, others: Keys) -> NDArray[np.int64]:
    """Return where each key comes first among others, (n,); -1 where it does not.

    Example:
        >>> find_first(np.array([7, 8, 9]), np.array([9, 7, 7])).tolist()
        [1, -1, 0]
    """
    order = np.argsort(others, kind="stable")
    place = np.minimum(np.searchsorted(others[order], keys), len(others) - 1)
    return np.where(others[order][place] == keys, order[place], -1)


def find_leaks(evaluated: SplitRows, train: SplitRows) -> Iterator[Finding]:
    """Find evaluated examples that the model is trained on, in the same task or another one."""
    if evaluated.sides != train.sides:
        return
    same = find_first(evaluated.joined(ordered=True), train.joined(ordered=True))
    either = find_first(evaluated.joined(ordered=False), train.joined(ordered=False))
    rows = np.flatnonzero(either >= 0)
    if not rows.size:
        return
    found = np.where(same >= 0, same, either)[rows]
    swapped = int((same[rows] < 0).sum())
    is_same_task = evaluated.name == train.name
    more = [f"{swapped:,} with the sides swapped"] if swapped else []
    if is_same_task and (others := count_other_labels(evaluated, rows, train, found)):
        more.append(f"{others:,} with another label")
    level: Level = "error" if is_same_task and rows.size >= MUCH * len(evaluated) else "warning"
    yield evaluated.tell(
        rows,
        check="leak" if is_same_task else "leak-of-other-task",
        level=level,
        what=f"are in the train split{'' if is_same_task else f' of {train.name}'} too"
        + (f", {' and '.join(more)}" if more else ""),
        advice=f"take them out of the train split{'' if is_same_task else f' of {train.name}'}, or score without them",
        remarks=_twins(evaluated, rows, train, found),
    )


def count_other_labels(
    evaluated: SplitRows, rows: NDArray[np.int64], train: SplitRows, found: NDArray[np.int64]
) -> int:
    """Count the rows whose label does not fit that of the train row with the same text."""
    ours, theirs = evaluated.store.labels[rows], train.store.labels[found]
    both = evaluated.store.has_label[rows] & train.store.has_label[found]
    return int((~evaluated.task.labels.is_right(theirs[both], ours[both])).sum())


def _twins(evaluated: SplitRows, rows: NDArray[np.int64], train: SplitRows, found: NDArray[np.int64]) -> Iterator[str]:
    """Say of each row where the train row is that equals it, with the labels of both."""
    for row, other in zip(rows.tolist(), found.tolist(), strict=True):
        labels = f": {train.label(other)}, here {evaluated.label(row)}" if evaluated.label(row) else ""
        yield f"also {train.where(other)}{labels}"


def find_shared_sides(evaluated: SplitRows, train: SplitRows) -> Iterator[Finding]:
    """Find evaluated examples of which a side, not the whole, is in train: a model may know it by heart."""
    shared = np.isin(evaluated.keys, train.keys)
    whole = np.isin(evaluated.joined(ordered=False), train.joined(ordered=False)) & (evaluated.sides == train.sides)
    rows = np.flatnonzero(shared.any(axis=1) & ~whole)
    if max(evaluated.sides, train.sides) == 1 or not rows.size:
        return
    both = int((shared.all(axis=1) & ~whole).sum())
    of_other = "" if evaluated.name == train.name else f" of {train.name}"
    more = f", both sides of {both:,}" if evaluated.sides > 1 and both else ""
    yield evaluated.tell(
        rows,
        check="shared-sides",
        level="note",
        what=f"have a text that a row of the train split{of_other} has too{more}",
        advice="expect lower scores on texts that are new; split by text where that matters",
    )


def find_duplicates(rows: SplitRows) -> Iterator[Finding]:
    """Find rows that say what an earlier one of their split says; with another label they are a contradiction."""
    said = np.rec.fromarrays([rows.joined(ordered=False), np.nan_to_num(rows.labels, nan=-np.inf)])
    _, first, inverse = np.unique(said, return_index=True, return_inverse=True)
    earlier = first[inverse]
    again = np.flatnonzero(earlier != np.arange(len(rows)))
    if not again.size:
        return
    is_train = rows.split == "train"
    yield rows.tell(
        again,
        check="duplicates",
        level="warning" if again.size >= MUCH * len(rows) else "note",
        what="repeat an earlier row",
        advice="remove them, unless they are to weigh more" if is_train else "they count twice in every score",
        remarks=(f"as {rows.unit} {rows.numbers[earlier[row]]}" for row in again.tolist()),
    )


def find_equal_sides(rows: SplitRows) -> Iterator[Finding]:
    """Find pairs whose two sides are the same text."""
    if rows.sides == 1:
        return
    equal = np.flatnonzero(rows.keys[:, 0] == rows.keys[:, 1])
    if equal.size:
        yield rows.tell(
            equal,
            check="equal-sides",
            level="note",
            what=f"are pairs of a text with itself{_name_labels(rows, equal)}",
            advice="look at their labels: they should all say the same",
        )


def _name_labels(rows: SplitRows, chosen: NDArray[np.int64]) -> str:
    labels = rows.labels[chosen]
    values, counts = np.unique(labels[~np.isnan(labels)], return_counts=True)
    if not values.size or rows.task.labels.is_set:
        return ""
    if rows.task.labels.num_classes:
        named = (f"{count:,} x {rows.task.format_label(value)}" for value, count in zip(values, counts, strict=True))
        return f" (labels: {', '.join(named)})"
    return f" (labels from {values[0]:g} to {values[-1]:g})"


def find_repeated_ids(splits: Sequence[SplitRows]) -> Iterator[Finding]:
    """Find ids that an earlier split has too; inside a split `fit` refuses them."""
    if splits[0].task.id is None:
        return
    hashed = [np.fromiter(map(hash, rows.store.all_ids()), np.int64, len(rows)).view(np.uint64) for rows in splits]
    for number, rows in enumerate(splits[1:], start=1):
        for earlier, ids in zip(splits[:number], hashed, strict=False):
            found = find_first(hashed[number], ids)
            again = np.flatnonzero(found >= 0)
            if again.size:
                yield Finding(
                    check="repeated-ids",
                    level="note",
                    task=rows.name,
                    split=rows.split,
                    count=again.size,
                    total=len(rows),
                    what=f"have the id of a row of the {earlier.split} split",
                    advice="see that files are not mixed up; give each row an id of its own",
                    examples=[
                        Instance(
                            rows.where(row),
                            tuple(map(shorten, rows.texts[row])),
                            f"id {rows.store.id(row)}, also {earlier.where(int(found[row]))}",
                        )
                        for row in again[:SHOWN].tolist()
                    ],
                )
