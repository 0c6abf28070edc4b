"""Training rows that a model forgot or never learnt."""

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.run import Run, match_predictions
from heads import Scores
from runtime.whole_files import replacing
from shortcuts.weak_learner import watch_weak_learner
from tasks import Example, InputError, Task

Rows = NDArray[np.int64]


def find_forgotten(is_right: NDArray[np.bool_]) -> tuple[Rows, Rows]:
    """Return the rows that were never right, and those that were right and then wrong at a later time.

    Args:
        is_right: Whether each row was right at each time, (times, rows).

    Source: Toneva et al. 2019, https://arxiv.org/abs/1812.05159; Yaghoobzadeh et al. 2021,
        https://arxiv.org/abs/1911.03861

    Example:
        >>> found = find_forgotten(np.array([[False, True, True], [False, False, True]]))
        >>> [rows.tolist() for rows in found]
        [[0], [1]]
    """
    never = ~is_right.any(axis=0)
    return np.flatnonzero(never), np.flatnonzero((is_right[:-1] & ~is_right[1:]).any(axis=0))


def watch_predictions(paths: Sequence[Path], examples: Sequence[Example], task: Task) -> NDArray[np.bool_]:
    """Return whether each row with a label is right in each of several files of predictions, (files, such rows).

    Args:
        paths: The files, in the order of the training.
        examples: The examples of the train split, those without a label too, which a file holds as well.
        task: The task.

    Raises:
        InputError: If a file is missing, is about other examples or lacks some that have a label.
    """
    labels = task.labels.stack([example.label for example in examples if example.label is not None])
    found = []
    for path in paths:
        if not path.is_file():
            raise InputError(f"{path}: no such file (predict with --data.predict_splits [train] writes it)")
        matched, predicted = match_predictions(path, examples, task)
        known = [row for row, example in enumerate(matched) if example.label is not None]
        if len(known) < len(labels):
            raise InputError(f"{path}: holds {len(known)} of {len(labels)} training examples (expected all)")
        found.append(task.labels.is_right(task.labels.stack(predicted)[known], labels))
    return np.array(found)


def draw_ordinary(count: int, hard: Rows, *, share: float, seed: int) -> Rows:
    """Draw other rows, so that they are a share of all that is trained on; all of them where there are not as many.

    Args:
        count: Rows of the train split.
        hard: The rows that were forgotten or never learnt.
        share: 0 to less than 1.
        seed: Seed of the draw.
    """
    others = np.setdiff1d(np.arange(count), hard)
    wanted = min(len(others), round(len(hard) * share / (1 - share)))
    return np.sort(np.random.default_rng(seed).choice(others, wanted, replace=False))


def choose_rows(
    run: Run, name: str, predictions: Sequence[Path] | None, *, epochs: int, ordinary: float, seed: int
) -> tuple[list[Example], dict[str, Rows]]:
    """Return the labelled examples of the train split, and the rows to train on by the reason of each.

    Args:
        run: The run.
        name: The task.
        predictions: Files of predictions in the order of a training; None to train a weak model.
        epochs: Epochs of the weak model.
        ordinary: Share of other rows.
        seed: Seed of their draw.

    Returns:
        The examples; the rows that were never learnt, those that were forgotten, the others.

    Raises:
        InputError: If there is no such task, it has no classes, or no row was forgotten.
    """
    if name not in run.tasks:
        raise InputError(f"--task {name}: no such task (expected {', '.join(run.tasks)})")
    task = run.tasks[name]
    if isinstance(task.labels, Scores) or task.labels.is_set:
        raise InputError(f"--task {name}: has {task.labels.plural} (expected one class a row)")
    everything = run.read_examples(name, "train")
    examples = [example for example in everything if example.label is not None]
    if predictions:
        is_right = watch_predictions(predictions, everything, task)
    else:
        texts = [example.texts for example in examples]
        labels = np.array([example.label for example in examples], dtype=np.float64)
        if np.ptp(labels) == 0:
            raise InputError(f"--task {name}: all training rows have one label (expected two or more to learn)")
        is_right = watch_weak_learner(texts, labels, epochs=epochs)
    never, forgotten = find_forgotten(is_right)
    hard = np.union1d(never, forgotten)
    if not hard.size:
        raise InputError(f"task {name}: no row was forgotten, all are right at the end (expected some)")
    others = draw_ordinary(len(examples), hard, share=ordinary, seed=seed)
    return examples, {"never learnt": never, "forgotten": forgotten, "ordinary": others}


def write_rows(path: Path, examples: Sequence[Example], groups: dict[str, Rows]) -> None:
    """Write the ids of rows, in the order of the split, with the reason of each."""
    reasons = {int(row): name for name, rows in groups.items() for row in rows}
    lines = StringIO()
    writer = csv.writer(lines)
    writer.writerow(["id", "reason"])
    writer.writerows([examples[row].id, reasons[row]] for row in sorted(reasons))
    with replacing(path) as file:
        file.write(lines.getvalue().encode())
