"""Predict a table's rows with all tasks: `python -m inference.predict_table RUN_OR_CHECKPOINT TABLE --output FILE.csv`.

The file has the table's columns and, for each task that reads some of them, `<task>_predicted` and the probability of
what is predicted.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from runtime.arguments import Arguments
from runtime.command import command
from runtime.counts import counted
from runtime.importing import heavy_imports
from runtime.utf8 import use_utf8
from runtime.whole_files import check_file


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = Arguments("inference.predict_table", __doc__)
    parser.add_argument("source", type=Path, metavar="RUN_OR_CHECKPOINT", help="a run's folder, or a checkpoint of it")
    parser.add_argument(
        "table", type=Path, metavar="TABLE", help="a .csv, .tsv, .txt, .jsonl, .json or .parquet file, without labels"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.csv", help="file to write")
    parser.add_argument("--tasks", nargs="+", metavar="TASK", help="the tasks to predict (all whose columns are there)")
    parser.add_argument(
        "--texts", nargs="+", metavar="COLUMN", help="the column of the texts, or two (those of the task's own files)"
    )
    parser.add_argument("--delimiter", help="character between cells (default: a comma, or that of a task's own files)")
    parser.add_argument("--encoding", help="character encoding of the table (utf-8)")
    parser.add_argument(
        "--probabilities", action="store_true", help="add a column with the probability of each class of each task"
    )
    parser.add_argument("--int8", action="store_true", help="multiply in int8: see python -m inference.int8")
    return parser.parse_args(arguments)


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table with its predictions."""
    options = parse_arguments(arguments)
    with heavy_imports():
        from inference.checkpoint import find_checkpoint
        from inference.predictor import Predictor
        from inference.table import (
            check_table,
            find_layout,
            find_texts,
            name_columns,
            predict_rows,
            read_table,
            write_table,
        )
        from tasks import InputError
        from tasks.delimited import check_delimiter
        from tasks.rows import FileFormat
        from tasks.text_lines import ONLY_UTF8, check_encoding
    check_table(options.table)
    check_file(options.output)
    if options.output.exists() and options.output.samefile(options.table):
        raise InputError(f"--output {options.output}: is the table itself (expected another file)")
    check_delimiter(options.delimiter, "inference.predict_table")
    check_encoding(options.encoding or ONLY_UTF8, "--encoding")
    path = find_checkpoint(options.source)
    print(f"checkpoint: {path}")
    predictor = Predictor.load(path, int8=options.int8)
    tasks = {name: predictor.task(name) for name in options.tasks or predictor.tasks}
    layout = FileFormat(delimiter=options.delimiter, encoding=options.encoding or ONLY_UTF8)
    layout = find_layout(options.table, tasks.values(), layout)
    texts = options.texts or {column for task in tasks.values() for column in task.texts}
    table = read_table(options.table, texts, layout)
    columns = find_texts(table, tasks, options.texts)
    for name, task in tasks.items():
        if name in columns:
            continue
        wanted = "one text column" if len(task.texts) == 1 else "two text columns"
        reason = f"it reads {wanted}" if options.texts else f"the table has no {' and '.join(task.texts)}"
        if options.tasks:
            raise InputError(f"--tasks {name}: cannot be predicted, {reason}")
        print(f"{name}: left out, {reason}")
    tasks = {name: tasks[name] for name in columns}
    names = name_columns(table, tasks, all_classes=options.probabilities)
    predictions = predict_rows(predictor, table, columns, report=print)
    write_table(options.output, table, predictions, tasks, all_classes=options.probabilities)
    print(f"{counted(len(table.rows), 'row')}: {options.output} ({', '.join(names)})")


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
