"""A user's table, and beside its columns what a trained model predicts of its rows."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from inference.prediction import Prediction
from inference.predictor import Predictor
from runtime.whole_files import replacing_text
from tasks import InputError, Task
from tasks.cells import SEVERAL_IN_ONE, Row, check_columns
from tasks.prediction_files import quote_cell
from tasks.rows import DELIMITERS, FileFormat, check_ending, read_rows

Columns = dict[str, tuple[str, ...]]  # the columns with the texts, by task


@dataclass(frozen=True)
class Table:
    """A table.

    Args:
        path: Its file.
        names: Names of its columns.
        rows: Its rows, with all cells as text.
        texts: The same rows with the texts alone, which are neither lists nor objects.
    """

    path: Path
    names: tuple[str, ...]
    rows: Sequence[Row]
    texts: Sequence[Row]


def check_table(path: Path) -> None:
    """Check that there is a file whose ending is that of a table.

    Raises:
        InputError: If not.
    """
    if not path.is_file():
        raise InputError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'} (expected a table)")
    check_ending(path)


def find_layout(path: Path, tasks: Collection[Task], given: FileFormat) -> FileFormat:
    """Return how a table is read: as the own files of a task whose texts it then has, or else as usual.

    Args:
        path: The table.
        tasks: The tasks.
        given: What is known of it.
    """
    if path.suffix.lower() not in DELIMITERS:
        return given
    for task in tasks:
        layout = replace(given, delimiter=given.delimiter or task.delimiter, quotes=task.quotes)
        with suppress(InputError):  # to be told when it is read
            first = next(read_rows(path, None, layout=layout), None)
            if first is not None and set(task.texts) <= set(first.fields):
                return layout
    return given


def read_table(path: Path, columns: Collection[str], layout: FileFormat) -> Table:
    """Read a table with all its columns.

    Args:
        path: A file with one of the `FILE_FORMATS` as its ending.
        columns: Names that columns with texts have, if they are there.
        layout: How its bytes become rows.

    Raises:
        InputError: If a row is wrong, there is none, or two columns have one name.
    """
    rows = list(read_rows(path, None, layout=layout))
    if not rows:
        raise InputError(f"{path}: has no rows")
    check_columns(rows[0], sorted(rows[0].repeated))
    names = tuple(dict.fromkeys(name for row in rows for name in row.fields))
    texts = list(read_rows(path, columns, layout=layout)) if rows[0].is_typed else rows
    return Table(path, names, rows, texts)


def find_texts(table: Table, tasks: Mapping[str, Task], given: Sequence[str] | None) -> Columns:
    """Return the columns with the texts of each task of which the table has them.

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
        expected = f"a task about {len(given)} text columns"
    else:
        found = {name: task.texts for name, task in tasks.items() if set(task.texts) <= set(table.names)}
        own = dict.fromkeys(" and ".join(task.texts) for task in tasks.values())
        expected = f"{' or '.join(own)}, or --texts COLUMN"
    if not found:
        columns = ", ".join(map(repr, table.names)) + (SEVERAL_IN_ONE if len(table.names) == 1 else "")
        raise InputError(f"{table.path}: no task reads its columns {columns} (expected {expected})")
    return found


def name_columns(table: Table, tasks: Mapping[str, Task], *, all_classes: bool) -> list[str]:
    """Return the names of the new columns: for each task what is predicted, and the probabilities.

    Args:
        table: The table.
        tasks: The tasks by name.
        all_classes: Whether the probability of each class gets a column, and not that of the predicted one alone.

    Raises:
        InputError: If a column has such a name, or two would have it.
    """
    names = []
    for name, task in tasks.items():
        shares = ["probability" if each is None else each for each in _find_shares(task, all_classes=all_classes)]
        names += [f"{name}_{each}" for each in ("predicted", *shares)]
    every = [*table.names, *names]
    twice = next((each for each in every if every.count(each) > 1), None)
    if twice is not None:
        raise InputError(f"{table.path}: two columns would be named {twice!r} (expected a table without it)")
    return names


def _find_shares(task: Task, *, all_classes: bool) -> list[str | None]:
    """Return the classes whose probability is written, None for that of the predicted one."""
    own: list[str | None] = [None] if task.class_names and not task.labels.is_set else []
    return [*own, *(task.class_names if all_classes else ())]


def predict_rows(
    predictor: Predictor, table: Table, columns: Columns, report: Callable[[str], None]
) -> dict[str, list[Prediction | None]]:
    """Predict the rows of a table; tasks that read the same columns share a forward pass.

    Args:
        predictor: The trained model.
        table: The table.
        columns: Columns with the texts, by task.
        report: Called with a sentence for each row that lacks a text.

    Returns:
        By task the predictions of all rows, None for those that lack a text.

    Raises:
        InputError: If no row has a text.
    """
    found: dict[str, list[Prediction | None]] = {name: [None] * len(table.rows) for name in columns}
    for own in dict.fromkeys(columns.values()):
        cells = [tuple((row.fields.get(column) or "").strip() for column in own) for row in table.texts]
        whole = [number for number, each in enumerate(cells) if all(each)]
        for number in sorted({*range(len(cells))} - {*whole}):
            report(f"{table.rows[number].where}: not predicted, {' or '.join(own)} is empty")
        if not whole:
            continue
        names = [name for name, texts in columns.items() if texts == own]
        for name, rows in predictor.predict_all(_as_examples(cells, whole), tasks=names).items():
            for number, one in zip(whole, rows, strict=True):
                found[name][number] = one
    if not any(row for rows in found.values() for row in rows):
        texts = " or ".join(" and ".join(own) for own in dict.fromkeys(columns.values()))
        raise InputError(f"{table.path}: no row has a text ({texts})")
    return found


def _as_examples(cells: Sequence[tuple[str, ...]], rows: Sequence[int]) -> list[str] | list[tuple[str, str]]:
    if len(cells[0]) == 1:
        return [cells[row][0] for row in rows]
    return [(cells[row][0], cells[row][1]) for row in rows]


def write_table(
    output: Path,
    table: Table,
    predictions: Mapping[str, Sequence[Prediction | None]],
    tasks: Mapping[str, Task],
    *,
    all_classes: bool,
) -> None:
    """Write a table and what is predicted of its rows as CSV, in UTF-8.

    Args:
        output: The file to write.
        table: The table.
        predictions: Predictions of all rows, by task.
        tasks: The tasks by name.
        all_classes: As for `name_columns`.
    """
    names = name_columns(table, tasks, all_classes=all_classes)
    shares = {name: _find_shares(task, all_classes=all_classes) for name, task in tasks.items()}

    def lines() -> Iterator[Sequence[str]]:
        yield [*table.names, *names]
        for number, row in enumerate(table.rows):
            cells = [row.fields.get(name) or "" for name in table.names]
            for name, classes in shares.items():
                cells += _fill(predictions[name][number], classes)
            yield cells

    with replacing_text(output) as file:
        file.writelines(",".join(map(quote_cell, line)) + "\n" for line in lines())


def _fill(row: Prediction | None, classes: Sequence[str | None]) -> list[str]:
    if row is None:
        return [""] * (1 + len(classes))
    return [row.label, *(f"{row.probabilities[row.label if each is None else each]:.6f}" for each in classes)]
