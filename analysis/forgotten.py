"""Training rows that a model forgot or never learnt: `python -m analysis.forgotten RUN --task TASK --output FILE`."""

import argparse
import csv
import shlex
import sys
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.run import Run, match_predictions
from heads import Scores
from runtime.arguments import Arguments
from runtime.command import command
from runtime.utf8 import use_utf8
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
    """Return whether each row is right in each of several files of predictions, (files, rows).

    Args:
        paths: The files, in the order of the training.
        examples: The examples of the train split that have a label.
        task: The task.

    Raises:
        InputError: If a file is missing, is about other examples or lacks some.
    """
    labels = task.labels.stack([example.label for example in examples])
    found = []
    for path in paths:
        if not path.is_file():
            raise InputError(f"{path}: no such file (predict with --data.predict_splits [train] writes it)")
        matched, predicted = match_predictions(path, examples, task)
        if len(matched) < len(examples):
            raise InputError(f"{path}: holds {len(matched)} of {len(examples)} training examples (expected all)")
        found.append(task.labels.is_right(task.labels.stack(predicted), labels))
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


def write_rows(path: Path, examples: Sequence[Example], groups: dict[str, Rows]) -> None:
    """Write the ids of rows, in the order of the split, with the reason of each."""
    reasons = {int(row): name for name, rows in groups.items() for row in rows}
    lines = StringIO()
    writer = csv.writer(lines)
    writer.writerow(["id", "reason"])
    writer.writerows([examples[row].id, reasons[row]] for row in sorted(reasons))
    with replacing(path) as file:
        file.write(lines.getvalue().encode())


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = Arguments("analysis.forgotten", __doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run of the task")
    parser.add_argument("--task", required=True, help="task with one class a row")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.csv", help="file to write")
    parser.add_argument(
        "--predictions",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="predictions of the train split, in the order of a training (default: a weak model is trained)",
    )
    parser.add_argument("--epochs", type=int, default=5, help="epochs of the weak model (default %(default)s)")
    parser.add_argument("--ordinary", type=float, default=0.0, help="share of other rows, drawn at random (default 0)")
    parser.add_argument("--seed", type=int, default=42, help="seed of that draw (default %(default)s)")
    options = parser.parse_args(arguments)
    if options.epochs < 1:
        raise InputError(f"--epochs is {options.epochs} (expected 1 or more)")
    if not 0 <= options.ordinary < 1:
        raise InputError(f"--ordinary is {options.ordinary} (expected 0 to less than 1)")
    return options


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Write the rows for a second stage of training, and say how many they are."""
    options = parse_arguments(arguments)
    run = Run(options.run)
    if options.task not in run.tasks:
        raise InputError(f"--task {options.task}: no such task (expected {', '.join(run.tasks)})")
    task = run.tasks[options.task]
    if isinstance(task.labels, Scores) or task.labels.is_set:
        raise InputError(f"--task {options.task}: has {task.labels.plural} (expected one class a row)")
    examples = [example for example in run.read_examples(options.task, "train") if example.label is not None]
    if options.predictions:
        is_right = watch_predictions(options.predictions, examples, task)
    else:
        texts = [example.texts for example in examples]
        labels = np.array([example.label for example in examples], dtype=np.float64)
        if np.ptp(labels) == 0:
            raise InputError(f"--task {options.task}: all training rows have one label (expected two or more to learn)")
        is_right = watch_weak_learner(texts, labels, epochs=options.epochs)
    never, forgotten = find_forgotten(is_right)
    hard = np.union1d(never, forgotten)
    if not hard.size:
        raise InputError(f"task {options.task}: no row was forgotten, all are right at the end (expected some)")
    ordinary = draw_ordinary(len(examples), hard, share=options.ordinary, seed=options.seed)
    write_rows(options.output, examples, {"never learnt": never, "forgotten": forgotten, "ordinary": ordinary})
    counts = f"{len(never):,} never learnt, {len(forgotten):,} forgotten and {len(ordinary):,} others"
    print(f"task {options.task}: {counts} of {len(examples):,} training rows")
    print(f"train on them: {shlex.join([f'--tasks.{options.task}.train_rows', str(options.output)])}")


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
