"""Training rows that a model forgot or never learnt: `python -m analysis.forgotten RUN --task TASK --output FILE`."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from runtime.arguments import Arguments, seed_number
from runtime.command import command
from runtime.errors import InputError
from runtime.importing import heavy_imports
from runtime.utf8 import use_utf8
from runtime.whole_files import check_file


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
    parser.add_argument("--seed", type=seed_number, default=42, help="seed of that draw (default %(default)s)")
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
    check_file(options.output)
    with heavy_imports():
        from analysis.forgetting import choose_rows, write_rows
        from analysis.run import Run
    examples, groups = choose_rows(
        Run(options.run),
        options.task,
        options.predictions,
        epochs=options.epochs,
        ordinary=options.ordinary,
        seed=options.seed,
    )
    write_rows(options.output, examples, groups)
    never, forgotten, others = (len(rows) for rows in groups.values())
    counts = f"{never:,} never learnt, {forgotten:,} forgotten and {others:,} others"
    print(f"task {options.task}: {counts} of {len(examples):,} training rows")
    print(f"train on them: {shlex.join([f'--tasks.{options.task}.train_rows', str(options.output)])}")


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
