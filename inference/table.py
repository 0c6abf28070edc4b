"""A user's table, and beside its columns what a trained model predicts of its rows."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from inference.prediction import Prediction
from inference.predictor import Predictor
from runtime.whole_files import replacing_text
from tasks import InputError, Task
from tasks.cells import Row, check_columns
from tasks.prediction_files import quote_cell
from tasks.rows import FileFormat, check_ending, read_rows

PREDICTED, PROBABILITY = "predicted", "probability"


@dataclass(frozen=True)
class Table:
    """A table.

    Args:
        path: Its file.
        names: Names of its columns.
        rows: Its rows, with all cells as text.
    """

    path: Path
    names: tuple[str, ...]
    rows: Sequence[Row]


def read_table(path: Path, layout: FileFormat) -> Table:
    """Read a table with all its columns.

    Args:
        path: A file with one of the `FILE_FORMATS` as its ending.
        layout: How its bytes become rows.

    Raises:
        InputError: If there is no such file, or a row of it is wrong.
    """
    if not path.is_file():
        raise InputError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'} (expected a table)")
    check_ending(path)
    names = tuple(dict.fromkeys(name for row in read_rows(path, (), layout=layout) for name in row.fields))
    rows = list(read_rows(path, names, layout=layout, lists=names))
    if not rows:
        raise InputError(f"{path}: has no rows")
    return Table(path, names, rows)


def find_layout(path: Path, tasks: Collection[Task], usual: FileFormat) -> FileFormat:
    """Return how a table is read: as usual, or as one of the tasks' own files where that alone gives a task's texts.

    Args:
        path: The table.
        tasks: The tasks.
        usual: How a file of its ending is read.
    """
    own = [replace(usual, delimiter=task.delimiter, quotes=task.quotes) for task in tasks]
    for layout in (usual, *own):
        with suppress(InputError, OSError):  # to be told when it is read
            names = next(read_rows(path, (), layout=layout)).fields
            if any(set(task.texts) <= set(names) for task in tasks):
                return layout
    return usual


def find_texts(table: Table, tasks: Mapping[str, Task], given: Sequence[str] | None) -> dict[str, tuple[str, ...]]:
    """Return by task the columns with its texts, for the tasks of which the table has them.

    Args:
        table: The table.
        tasks: The tasks by name.
        given: Columns in the place of those that a task was trained on; None for these.

    Raises:
        InputError: If the table has the texts of no task, or lacks a column that is given.
    """
    if given is not None:
        check_columns(table.rows[0], given)
        found = {name: tuple(given) for name, task in tasks.items() if len(task.texts) == len(given)}
        expected = f"tasks about {len(given)} text columns"
    else:
        found = {name: task.texts for name, task in tasks.items() if set(task.texts) <= set(table.names)}
        own = dict.fromkeys(" and ".join(task.texts) for task in tasks.values())
        expected = f"{' or '.join(own)}, or --texts COLUMN"
    if not found:
        columns = ", ".join(map(repr, table.names))
        raise InputError(f"{table.path}: no task reads its columns {columns} (expected {expected})")
    for texts in found.values():
        check_columns(table.rows[0], texts)
    return found


def predict_columns(
    predictor: Predictor, table: Table, texts: Mapping[str, tuple[str, ...]], report: Callable[[str], None]
) -> dict[str, list[Prediction | None]]:
    """Predict the rows of a table; tasks that read the same columns share a forward pass.

    Args:
        predictor: The trained model.
        table: The table.
        texts: Columns with the texts, by task.
        report: Called with a sentence for each row that lacks a text.

    Returns:
        By task the predictions of all rows, None for those that lack a text.
    """
    found: dict[str, list[Prediction | None]] = {}
    for columns in dict.fromkeys(texts.values()):
        names = [name for name, own in texts.items() if own == columns]
        cells = [tuple((row.fields.get(column) or "").strip() for column in columns) for row in table.rows]
        whole = [number for number, each in enumerate(cells) if all(each)]
        for number in sorted({*range(len(cells))} - {*whole}):
            report(f"{table.rows[number].where}: not predicted, {' or '.join(columns)} is empty")
        if not whole:
            raise InputError(f"{table.path}: no row has a text ({' and '.join(columns)})")
        examples = [cells[number] for number in whole]
        pairs = [(first, second) for first, second in examples] if len(columns) == 2 else []
        predicted = predictor.predict_all(pairs or [text for (text,) in examples], tasks=names)
        for name in names:
            found[name] = [None] * len(cells)
            for number, one in zip(whole, predicted[name], strict=True):
                found[name][number] = one
    return {name: found[name] for name in texts}


def name_columns(
    table: Table,
    predictions: Mapping[str, Sequence[Prediction | None]],
    tasks: Mapping[str, Task],
    *,
    all_classes: bool,
) -> dict[str, list[str]]:
    """Return the new columns of a table, by name.

    Args:
        table: The table.
        predictions: Predictions of all rows, by task.
        tasks: The tasks by name.
        all_classes: Whether the probability of each class gets a column of its own.

    Raises:
        InputError: If the table has a column of such a name.
    """
    columns: dict[str, list[str]] = {}

    def add(name: str, cells: list[str]) -> None:
        if name in table.names or name in columns:
            raise InputError(f"{table.path}: two columns would be named {name!r} (expected a table without it)")
        columns[name] = cells

    for name, rows in predictions.items():
        task = tasks[name]
        add(f"{name}_{PREDICTED}", ["" if row is None else row.label for row in rows])
        if task.class_names and not task.labels.is_set:
            add(f"{name}_{PROBABILITY}", [_share(row, None if row is None else row.label) for row in rows])
        for each in task.class_names if all_classes else ():
            add(f"{name}_{each}", [_share(row, each) for row in rows])
    return columns


def _share(row: Prediction | None, name: str | None) -> str:
    return "" if row is None or name is None else f"{row.probabilities[name]:.6f}"


def write_table(output: Path, table: Table, columns: Mapping[str, Sequence[str]]) -> None:
    """Write a table with further columns as CSV, in UTF-8.

    Args:
        output: The file to write.
        table: The table.
        columns: Cells of each further column, by name.
    """

    def lines() -> Iterator[Sequence[str]]:
        yield [*table.names, *columns]
        for row, added in zip(table.rows, zip(*columns.values(), strict=True), strict=True):
            yield [*(row.fields.get(name) or "" for name in table.names), *added]

    with replacing_text(output) as file:
        file.writelines(",".join(map(quote_cell, line)) + "\n" for line in lines())
