"""How often each label occurs and is predicted."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.blocks import Block, Sentence, picture
from analysis.run import Predictions, Run
from analysis.table import Table
from figures import draw_balance, pick_classes
from heads import Scores
from tasks import InputError, Split

SCORE_RANGES = 5


def show_balance(run: Run, task: str, split: Split, predictions: Predictions, anchor: str) -> list[Block]:
    """Return the shares of each class, or range of a score, in train, in the split and among the predictions."""
    counted: dict[str, NDArray[Any]] = {split: predictions.labels, "predicted": predictions.predictions}
    blocks: list[Block] = []
    try:
        train = [example.label for example in run.read_examples(task, "train") if example.label is not None]
        counted = {"train": predictions.task.labels.stack(train), **counted}
    except InputError as error:
        blocks.append(Sentence(f"The train split is not shown: {error}."))
    names, counts = _count_labels(predictions, counted)
    every = {what: found / max(len(counted[what]), 1) for what, found in counts.items()}
    chosen = pick_classes(np.abs(every["predicted"] - every[split]))
    note = (
        f"The {len(chosen)} of {len(names):,} classes whose share of the predictions is furthest from that of {split}."
        if len(chosen) < len(names)
        else ""
    )
    names = [names[number] for number in chosen]
    shares = {what: values[chosen] for what, values in every.items()}
    rows = [[name, *(f"{values[row]:.1%}" for values in shares.values())] for row, name in enumerate(names)]
    title = "Class balance" if not isinstance(predictions.task.labels, Scores) else "Balance of scores"
    label = f"{title}: " + "; ".join(f"{row[0]}: " + ", ".join(row[1:]) for row in rows[:12])
    figure = draw_balance(shares, names)
    return [
        picture(figure, title=title, name=f"{anchor}-balance", label=label, note=note),
        Table(f"{title} in numbers", ("label", *shares), rows),
        *blocks,
    ]


def _count_labels(
    predictions: Predictions, counted: Mapping[str, NDArray[Any]]
) -> tuple[list[str], dict[str, NDArray[np.int64]]]:
    """Return the classes, or ranges of a score, and how many rows each of them has."""
    task, space = predictions.task, predictions.task.labels
    if not isinstance(space, Scores):
        return list(task.class_names), {what: space.count_classes(values) for what, values in counted.items()}
    ends = np.linspace(space.low, space.high, SCORE_RANGES + 1)
    names = [f"{low:g} to {high:g}" for low, high in pairwise(ends)]
    numbers = {what: np.digitize(values, ends[1:-1]) for what, values in counted.items()}
    return names, {what: np.bincount(values, minlength=SCORE_RANGES) for what, values in numbers.items()}
