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
from runtime.errors import InputError
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
    parser.add_argument("--encoding", default="utf-8", help="character encoding of the table (default utf-8)")
    parser.add_argument(
        "--probabilities", action="store_true", help="add a column with the probability of each class of each task"
    )
    parser.add_argument("--int8", action="store_true", help="multiply in int8: see python -m inference.int8")
    return parser.parse_args(arguments)


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table with its predictions."""
    options = parse_arguments(arguments)
    if options.output.suffix.lower() != ".csv":
        raise InputError(f"--output {options.output}: cannot be written (expected a name with .csv)")
    if options.output.exists():
        raise InputError(f"--output {options.output}: is there already (expected a new file)")
    check_file(options.output)
    with heavy_imports():
        from inference.checkpoint import find_checkpoint
        from inference.table import predict_table
        from inference.table_reading import check_table
        from tasks.delimited import check_delimiter
        from tasks.text_lines import check_encoding
    check_table(options.table)
    check_delimiter(options.delimiter, "inference.predict_table")
    check_encoding(options.encoding, "--encoding")
    path = find_checkpoint(options.source)
    print(f"checkpoint: {path}")
    predict_table(options, path)


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
