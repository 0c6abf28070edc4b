"""Training rows that a file names: a second stage may train on those that an earlier model had wrong."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from runtime.errors import InputError
from tasks.labels import list_names


def find_rows(task: str, file: str, ids: Sequence[str]) -> NDArray[np.int64]:
    """Return the numbers of the rows whose ids a .csv file holds in its column `id`, in ascending order, each once.

    Args:
        task: Name of the task.
        file: The file.
        ids: Ids of the training examples, [rows].

    Raises:
        InputError: If the file cannot be read, has no such column or no row, or names an example that there is not.
    """
    path = Path(file).expanduser()
    if not path.is_file():
        raise InputError(f"task {task}: train_rows {file}: no such file")
    with path.open(encoding="utf-8", newline="") as opened:
        rows = csv.DictReader(opened)
        if "id" not in (rows.fieldnames or ()):
            raise InputError(f"{path}: its columns are {list_names(rows.fieldnames or [])} (expected a column id)")
        named = [(rows.line_num, (row["id"] or "").strip()) for row in rows]
    places = {name: number for number, name in enumerate(ids)}
    for line, name in named:
        if name not in places:
            raise InputError(f"{path}, line {line}: id is {name!r} (expected that of a training example of {task})")
    if not named:
        raise InputError(f"{path}: names no row (expected at least one id)")
    return np.unique([places[name] for _, name in named]).astype(np.int64)
