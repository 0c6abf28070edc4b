"""Cross-validation of your own configurations: `python -m experiments.folds rows.yaml --folds 5`; see docs/splits.md.

Each row is trained once per fold of the files that its tasks' sources name as `all`. `rows.yaml` is a list with a name
and a training command for each row; `--row NAME=COMMAND` does without the file.
"""

import sys
from collections.abc import Sequence

from experiments.options import add_options, read_options, split_arguments
from experiments.own_rows import add_row_options, read_given_rows
from experiments.row import index_rows
from runtime.arguments import Arguments
from runtime.command import command
from runtime.errors import InputError
from runtime.importing import heavy_imports
from runtime.utf8 import use_utf8


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Train each row on each fold and show the table; return the exit status."""
    own, extra = split_arguments(arguments)
    parser = Arguments("experiments.folds", __doc__, passes_on="train.py")
    add_row_options(parser)
    parser.add_argument("--folds", type=int, default=5, help="number of folds (default: 5)")
    add_options(parser, output="runs/folds")
    parser.set_defaults(seeds=1)
    parsed = parser.parse_args(own)
    options = read_options(parsed, extra)
    if parsed.folds < 2:
        raise InputError(f"--folds {parsed.folds}: expected 2 or more")
    rows = index_rows(read_given_rows(parsed))
    with heavy_imports():
        from experiments.folding import train_folds
    return train_folds(rows, parsed.folds, options)


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
