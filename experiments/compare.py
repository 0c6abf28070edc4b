"""Your own configurations over seeds, as a table: `python -m experiments.compare rows.yaml`; see docs/comparing.md.

`rows.yaml` is a list with a name and a training command for each row; `--row NAME=COMMAND` does without the file.
"""

import sys
from collections.abc import Sequence

from experiments.options import add_options, read_options, split_arguments
from experiments.own_rows import add_row_options, read_given_rows
from experiments.row import index_rows
from runtime.arguments import Arguments
from runtime.command import command
from runtime.importing import heavy_imports
from runtime.utf8 import use_utf8


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Train each row with each seed and show the table; return the exit status."""
    own, extra = split_arguments(arguments)
    parser = Arguments("experiments.compare", __doc__, passes_on="train.py")
    add_row_options(parser)
    add_options(parser, output="runs/compare")
    parsed = parser.parse_args(own)
    options = read_options(parsed, extra)
    rows = index_rows(read_given_rows(parsed))
    with heavy_imports():
        from experiments.own_trainings import train_and_compare
    return train_and_compare(rows, options)


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
