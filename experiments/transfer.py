"""Which task helps which: `python -m experiments.transfer -c configs/cs224n.yaml --data.root DIR --budget steps=N`.

With `--estimate RUN` nothing is trained: the gradients of a finished run say what to expect; see `--estimate --help`.
"""

import sys
from collections.abc import Sequence

from experiments import estimate
from experiments.options import add_options, find_file, read_options, split_arguments
from runtime.arguments import Arguments
from runtime.command import command
from runtime.importing import heavy_imports
from runtime.utf8 import use_utf8


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Train each task alone and with others, and show what it gains; return the exit status."""
    own, extra = split_arguments(arguments)
    if any(word.partition("=")[0] == "--estimate" for word in own):
        return estimate.main([*own, *extra])
    parser = Arguments("experiments.transfer", __doc__, passes_on="train.py")
    parser.add_argument(
        "-c", "--config", action="append", required=True, help="a training configuration; may be repeated"
    )
    parser.add_argument(
        "--sets", nargs="+", choices=("singles", "pairs", "all"), default=["singles", "pairs", "all"],
        help="which sets of tasks to train on (default: all three)",
    )  # fmt: skip
    add_options(parser, output="runs/transfer")
    parsed = parser.parse_args(own)
    options = read_options(parsed, extra)
    configs = [find_file(path, "-c") for path in parsed.config]
    with heavy_imports():
        from experiments.transferring import train_sets
    return train_sets(configs, parsed.sets, options)


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
