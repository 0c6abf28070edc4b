"""Tables of configurations over seeds: `python -m experiments.reproduce --rows b1 b2 even --data.root DIR`.

The rows are those of the paper's tables, or with `--folder configs/methods` each method against plain training;
`python -m experiments.compare` does the same for your own.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.options import add_options, find_file, read_options, split_arguments
from experiments.rows import PAPER, choose_rows, read_rows
from runtime.arguments import Arguments
from runtime.command import command
from runtime.importing import heavy_imports
from runtime.utf8 import use_utf8


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rows asked for and show the table; return the exit status."""
    own, extra = split_arguments(arguments)
    parser = Arguments("experiments.reproduce", __doc__, passes_on="train.py")
    parser.add_argument("--rows", nargs="+", required=True, help="names of files in the folder, or all")
    parser.add_argument("--folder", type=Path, default=PAPER, help="folder of the rows (default: configs/paper)")
    parser.add_argument("--pretrained", help="further pre-trained backbone, for the rows that start from one")
    parser.add_argument("--recipe", help="file laid over the folder's recipe.yaml, such as scaled-down.yaml")
    add_options(parser, output="runs/reproduce")
    parsed = parser.parse_args(own)
    options = read_options(parsed, extra)
    every = read_rows(parsed.folder)
    rows = choose_rows(parsed.rows, every)
    recipe = find_file(parsed.recipe, "--recipe") if parsed.recipe else None
    with heavy_imports():
        from experiments.reproducing import train_rows
    return train_rows(rows, every, options, pretrained=parsed.pretrained, recipe=recipe)


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
