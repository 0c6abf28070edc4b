"""A user's table, and beside its columns what a trained model predicts of its rows."""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from inference.prediction import Prediction
from inference.predictor import Predictor
from inference.table_reading import Columns, Table, find_layout, find_texts, read_table, why_not
from runtime.counts import counted
from runtime.whole_files import replacing_text
from tasks import InputError, Task
from tasks.prediction_files import quote_cell
from tasks.rows import FileFormat
from tasks.text_lines import TextEncoding

SHOWN = 5  # rows that are not predicted


def predict_table(options: argparse.Namespace, checkpoint: Path) -> None:
    """Write a table with its predictions, and say what was left out.

    Args:
        options: The command line.
        checkpoint: The checkpoint.

    Raises:
        InputError: If the table is wrong, has the texts of no task, or of none that was asked for.
    """
    predictor = Predictor.load(checkpoint, int8=options.int8)
    tasks = {name: predictor.task(name) for name in options.tasks or predictor.tasks}
    encoding = TextEncoding(options.encoding, setting="--encoding")
    layout = FileFormat(delimiter=options.delimiter, encoding=encoding)
    layout = find_layout(options.table, tasks.values(), layout)
    texts = options.texts or {column for task in tasks.values() for column in task.texts}
    table = read_table(options.table, texts, layout)
    columns = find_texts(table, tasks, options.texts)
    for name in [name for name in tasks if name not in columns]:
        if options.tasks:
            raise InputError(f"--tasks {name}: cannot be predicted, {why_not(tasks[name], options.texts)}")
        print(f"{name}: left out, {why_not(tasks.pop(name), options.texts)}")
    shares = {name: find_shares(task, all_classes=options.probabilities) for name, task in tasks.items()}
    names = name_columns(table, shares)
    skipped: list[str] = []
    predictions = predict_rows(predictor, table, columns, report=skipped.append)
    for line in (*skipped[:SHOWN], *([f"and {len(skipped) - SHOWN:,} more"] if len(skipped) > SHOWN else [])):
        print(line)
    write_table(options.output, table, names, predictions, shares)
    print(f"{counted(len(table.rows), 'row')}: {options.output} ({', '.join(names)})")


def name_columns(table: Table, shares: Mapping[str, Sequence[str | None]]) -> list[str]:
    """Return the names of the new columns: for each task what is predicted, and the probabilities.

    Args:
        table: The table.
        shares: By task the classes whose probability is written, as `find_shares` returns them.

    Raises:
        InputError: If a column has such a name, or two would have it.
    """
    names = []
    for name, classes in shares.items():
        kinds = ["predicted", *("probability" if each is None else each for each in classes)]
        names += [f"{name}_{each}" for each in kinds]
    every = [*table.names, *names]
    twice = next((each for each in every if every.count(each) > 1), None)
    if twice is not None:
        raise InputError(f"{table.path}: two columns would be named {twice!r} (expected a table without it)")
    return names


def find_shares(task: Task, *, all_classes: bool) -> list[str | None]:
    """Return the classes whose probability is written, None for that of the predicted one.

    Args:
        task: The task.
        all_classes: Whether each class is written, and not the predicted one alone.
    """
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
    names: Sequence[str],
    predictions: Mapping[str, Sequence[Prediction | None]],
    shares: Mapping[str, Sequence[str | None]],
) -> None:
    """Write a table and what is predicted of its rows as CSV, in UTF-8.

    Args:
        output: The file to write.
        table: The table.
        names: Names of the new columns.
        predictions: Predictions of all rows, by task.
        shares: By task the classes whose probability is written, as `find_shares` returns them.
    """

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
