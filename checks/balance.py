"""How the labels are spread: over classes or scores, over splits, and what a constant answer scores."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, ks_2samp

from checks.finding import Finding
from checks.split_rows import SplitRows
from tasks import Task

BINS = 10
SHIFT, SURELY = 0.03, 1e-3  # share of labels that lie elsewhere, probability of as much by chance
NAMED = 5  # classes in a sentence


def describe_labels(rows: SplitRows) -> dict[str, Any]:
    """Return the labels of a split as plain data: a count for each class, or how the scores are spread."""
    labels = rows.labels[~np.isnan(rows.labels)]
    described: dict[str, Any] = {"labelled": labels.size}
    if rows.task.labels.num_classes:
        return {**described, "classes": dict(zip(class_names(rows.task), count_classes(rows).tolist(), strict=True))}
    if not labels.size:
        return described
    low, high = getattr(rows.task.labels, "low", labels.min()), getattr(rows.task.labels, "high", labels.max())
    counts, edges = np.histogram(labels, BINS, (low, high))
    return {
        **described,
        "mean": float(labels.mean()),
        "sd": float(labels.std()),
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
    }


def score_constant(train: SplitRows, evaluated: SplitRows) -> float | None:
    """Return the share of rows that the most frequent class of train gets right; None for scores and without labels.

    For scores a constant has no correlation at all.
    """
    labels, space = _known(evaluated), train.task.labels
    if not len(labels) or not space.num_classes:
        return None
    constant = np.broadcast_to(space.best_constant(_known(train)), labels.shape)
    return float(space.is_right(constant, labels).mean())


def find_class_problems(train: SplitRows, others: Sequence[SplitRows]) -> Iterator[Finding]:
    """Find classes that no row has, or that the model is never shown, and evaluated splits with one label alone."""
    if not train.task.labels.num_classes:
        return
    names, trained = class_names(train.task), count_classes(train)
    unseen = trained == 0
    for rows in others:
        values = rows.store.labels
        rows_of_unseen = np.flatnonzero(
            (values[:, unseen] == 1).any(axis=1) if values.ndim == 2 else np.isin(values, np.flatnonzero(unseen))
        )
        if rows_of_unseen.size:
            counts = count_classes(rows)
            classes = _name([name for name, count in zip(names, np.where(unseen, counts, 0), strict=True) if count])
            yield rows.tell(
                rows_of_unseen,
                check="class-not-in-train",
                level="error",
                what=f"have a class of which train has no row: {classes}",
                advice="add such rows to train, or take the class out",
            )
    unused = unseen & (sum(count_classes(rows) for rows in others) == 0)
    if unused.any():
        classes = _name([names[number] for number in np.flatnonzero(unused)])
        yield Finding(
            check="class-unused",
            level="warning",
            task=train.name,
            split="train",
            count=0,
            total=0,
            what=f"no row of any split has a class that the task names: {classes}",
            advice="see that the names are spelt as in the file; take out those that are not used",
        )


def find_constant_labels(rows: SplitRows) -> Iterator[Finding]:
    """Find splits whose rows all have the same label."""
    labels = rows.labels[~np.isnan(rows.labels)]
    if labels.size > 1 and np.ptp(labels) == 0:
        yield Finding(
            check="one-label",
            level="warning",
            task=rows.name,
            split=rows.split,
            count=labels.size,
            total=len(rows),
            what=f"have the same label: {rows.label(int(np.flatnonzero(~np.isnan(rows.labels))[0]))}",
            advice="nothing can be learnt or measured on them: see that the file is whole",
        )


def find_label_shift(train: SplitRows, evaluated: SplitRows) -> Iterator[Finding]:
    """Find evaluated splits whose labels are spread otherwise than those of train, by more than chance."""
    ours, theirs = (rows.labels[~np.isnan(rows.labels)] for rows in (evaluated, train))
    if min(ours.size, theirs.size) < 2 or train.task.labels.is_set:
        return
    shift, chance, largest = (_shift_classes if train.task.labels.num_classes else _shift_scores)(train, ours, theirs)
    if shift >= SHIFT and chance < SURELY:
        yield Finding(
            check="label-shift",
            level="note",
            task=evaluated.name,
            split=evaluated.split,
            count=round(shift * ours.size),
            total=ours.size,
            what=f"would need another label to be spread as in train: {largest}",
            advice="a score on it is not that of data like train's; see where the files come from",
        )


def _shift_classes(
    train: SplitRows, ours: NDArray[np.float64], theirs: NDArray[np.float64]
) -> tuple[float, float, str]:
    classes = train.task.labels.num_classes
    counts = np.stack([np.bincount(labels.astype(np.int64), minlength=classes) for labels in (ours, theirs)])
    shares = counts / counts.sum(axis=1, keepdims=True)
    difference = shares[0] - shares[1]
    used = counts[:, counts.sum(axis=0) > 0]
    chance = float(chi2_contingency(used).pvalue) if used.shape[1] > 1 else 1.0
    most = int(np.abs(difference).argmax())
    name = class_names(train.task)[most]
    return (
        float(np.abs(difference).sum() / 2),
        chance,
        f"class {name} {shares[0, most]:.1%}, there {shares[1, most]:.1%}",
    )


def _shift_scores(train: SplitRows, ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> tuple[float, float, str]:
    compared = ks_2samp(ours, theirs)
    return float(compared.statistic), float(compared.pvalue), f"mean {ours.mean():.2f}, there {theirs.mean():.2f}"


def count_classes(rows: SplitRows) -> NDArray[np.int64]:
    """Count the rows of each class, (C,)."""
    return rows.task.labels.count_classes(_known(rows))


def _known(rows: SplitRows) -> NDArray[np.float64]:
    """Return the labels of the rows that have one, as they are stored."""
    return rows.store.labels[rows.store.labelled_rows]


def class_names(task: Task) -> list[str]:
    """Return the classes as they stand in the file."""
    return list(task.class_names)


def _name(names: Sequence[str]) -> str:
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{rest}"


def summarise(described: Mapping[str, Any]) -> str:
    """Return labels in one line: the share of each class, or mean, spread and a small histogram.

    Example:
        >>> summarise({"labelled": 4, "classes": {"no": 3, "yes": 1}}), summarise({"labelled": 0})
        ('no 75.0%, yes 25.0%', 'none')
    """
    if not described["labelled"]:
        return "none"
    if "classes" in described:
        shares = [f"{name} {count / described['labelled']:.1%}" for name, count in described["classes"].items()]
        return ", ".join(shares) if len(shares) <= 2 * NAMED else f"{len(shares)} classes"
    counts = described["histogram"]["counts"]
    bars = "".join("▁▂▃▄▅▆▇█"[math.ceil(7 * count / max(counts))] for count in counts)
    return f"mean {described['mean']:.2f}, sd {described['sd']:.2f}  {bars}"
