"""A user's table, and which of its columns hold the texts of which task."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from runtime.counts import counted
from tasks import InputError, Task
from tasks.cells import SEVERAL_IN_ONE, Row, check_columns
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

    Where those have no header line, nor has a table in whose first row the texts' names do not stand.

    Args:
        path: The table.
        tasks: The tasks.
        given: What is known of it.
    """
    if path.suffix.lower() not in DELIMITERS:
        return given
    own = [(task, replace(given, delimiter=given.delimiter or task.delimiter, quotes=task.quotes)) for task in tasks]
    bare = [(task, replace(layout, columns=task.source.columns)) for task, layout in own if task.source.columns]
    for task, layout in (*own, *bare):
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


def why_not(task: Task, given: Sequence[str] | None) -> str:
    """Say why a task that `find_texts` leaves out cannot be predicted."""
    if given is None:
        return f"the table has no {' and '.join(task.texts)}"
    return f"it reads {counted(len(task.texts), 'text column')}"
