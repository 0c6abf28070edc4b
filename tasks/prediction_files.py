"""Files of predictions: plain CSV, and CS224N's format for its own tasks."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from runtime.errors import InputError
from runtime.whole_files import replacing_text
from tasks.handin import HandIn
from tasks.source import Split
from tasks.task import Task

HANDIN_SPLITS: tuple[Split, ...] = ("dev", "test")


class HasIds(Protocol):
    """A split of a task whose examples have ids; a TokenStore is one."""

    task: Task

    def id(self, row: int) -> str:
        """Id of an example."""


def write_predictions(
    path: Path,
    store: HasIds,
    rows: NDArray[np.int64],
    predictions: NDArray[Any],
    probabilities: NDArray[np.float32] | None = None,
) -> None:
    """Write a prediction file, and a second one with the probability of each class.

    The file is plain CSV; that of Sst, Quora and Sts has a blank behind the comma, as CS224N wants it.

    Args:
        path: `<task>-<split>.csv`; the second file is `<task>-<split>-probabilities.csv`.
        store: The split that was predicted.
        rows: Row numbers, rising, (n,).
        predictions: Labels in label units, (n,), or sets (n, C).
        probabilities: Probability of each class, (n, C).
    """
    task = store.task
    ids = [store.id(int(row)) for row in rows]
    labels = [task.format_label(prediction) for prediction in predictions]
    comma = "," if task.handin is None else ", "
    _write_rows(path, [("id", task.prediction_header), *zip(ids, labels, strict=True)], comma)
    if probabilities is not None:
        header = ["id", *task.class_names]
        shares = ([name, *(f"{p:.6f}" for p in row)] for name, row in zip(ids, probabilities, strict=True))
        _write_rows(path.with_name(f"{path.stem}-probabilities.csv"), [header, *shares], ",")


def _write_rows(path: Path, rows: Iterable[Iterable[str]], comma: str) -> None:
    with replacing_text(path) as file:
        file.writelines(comma.join(map(quote_cell, row)) + "\n" for row in rows)


def quote_cell(cell: str) -> str:
    """Quote a cell that holds a comma, a quote or a line end; csv.writer forgets a carriage return inside a cell."""
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\r\n') else cell


def write_handin(
    folder: Path, split: str, store: HasIds, rows: NDArray[np.int64], predictions: NDArray[Any]
) -> Path | None:
    """Write predictions under the name, the header and the row format of CS224N's starter code.

    Args:
        folder: Where the file goes.
        split: The split that was predicted.
        store: The split's examples.
        rows: Row numbers, rising, (n,).
        predictions: Labels in label units, (n,), or sets (n, C).

    Returns:
        The file; None for a task or a split that CS224N does not ask for.
    """
    handin = _handin(store.task)
    if handin is None or split not in HANDIN_SPLITS:
        return None
    path = folder / handin.file_name(split)
    with replacing_text(path) as file:
        file.write(f"id \t {handin.header} \n")
        for row, prediction in zip(rows, predictions, strict=True):
            label = handin.format_label(store.task.format_label(prediction))
            file.write(f"{store.id(int(row))} , {label} \n")
    return path


def _handin(task: Task) -> HandIn | None:
    """Return how CS224N wants the predictions of a task; None where it does not, or the task enters no mean."""
    return task.handin if task.in_mean else None


def check_handin(folder: Path, tasks: Mapping[str, Task]) -> None:
    """Raise an error unless the tasks have files to hand in.

    Raises:
        InputError: If no task is one of CS224N's, or two tasks would write one file.
    """
    names = [handin.name for task in tasks.values() if (handin := _handin(task)) is not None]
    if not names:
        raise InputError(f"--predictions.handin {folder}: none of the tasks is Sst, Quora or Sts")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"--predictions.handin {folder}: two tasks would write {twice}-dev-output.csv (expected one)")


def open_handin(folder: Path) -> None:
    """Create the folder of the hand-in files, before anything is predicted.

    Raises:
        InputError: If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--predictions.handin {folder}: {error.strerror} (expected a folder to write into)") from None


def describe_handin(folder: Path, tasks: Iterable[Task], rows: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    """Say what a hand-in folder holds and what it lacks.

    Args:
        folder: The folder.
        tasks: The tasks of the run.
        rows: Rows written and rows of the split, by the name of the file, of what was just written.
    """
    yield f"hand-in: {', '.join(rows)} in {folder}"
    for name, (written, size) in rows.items():
        if written < size:
            yield f"hand-in: {name} holds {written:,} of {size:,} rows (every one is needed)"
    handins = [handin for task in tasks if (handin := _handin(task)) is not None]
    wanted = [handin.file_name(split) for handin in handins for split in HANDIN_SPLITS]
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing:
        yield f"hand-in: not there yet: {', '.join(missing)} (predict writes both splits of every task)"
