"""Training rows that a file names: a second stage may train on those that an earlier model had wrong."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from runtime.errors import InputError
from tasks.delimited import read_delimited
from tasks.labels import list_names
from tasks.text_lines import ONLY_UTF8


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
    rows = list(read_delimited(path, ",", quotes=True, names=None, encoding=ONLY_UTF8, report=lambda note: None))
    if not rows:
        raise InputError(f"{path}: names no row (expected at least one id)")
    if "id" not in rows[0].fields:
        raise InputError(f"{path}: its columns are {list_names([*rows[0].fields])} (expected a column id)")
    places, found = {name: number for number, name in enumerate(ids)}, set[int]()
    for row in rows:
        name = (row.fields["id"] or "").strip()
        if name not in places:
            raise InputError(f"{row.where}: id is {name!r} (expected that of a training example of {task})")
        found.add(places[name])
    return np.array(sorted(found), dtype=np.int64)
