"""`python -m analysis.ensemble RUN RUN [RUN ...] --output DIR --method M`: several runs' predictions as one run."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.methods import METHODS
from runtime.arguments import Arguments, seed_number
from runtime.command import command
from runtime.errors import InputError
from runtime.importing import heavy_imports
from runtime.terminal import plain_console
from runtime.utf8 import use_utf8


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = Arguments("analysis.ensemble", __doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folder of a finished run; two or more")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder to create")
    parser.add_argument(
        "--method",
        choices=METHODS,
        default="probability",
        help="how classes are combined; scores are averaged with every method. vote: majority, ties by summed "
        "probability, then by the lowest class. probability: largest mean probability (default). "
        "score: only tasks with scores",
    )
    parser.add_argument(
        "--split", choices=["dev", "test"], default="dev", help="which predictions to combine (default dev)"
    )
    parser.add_argument(
        "--select",
        action="store_true",
        help="choose the members for each task on one half of dev by greedy forward selection",
    )
    parser.add_argument("--seed", type=seed_number, default=42, help="seed of the halves (default %(default)s)")
    options = parser.parse_args(arguments)
    if options.select and options.split == "test":
        raise InputError(
            "--select --split test: members are chosen on dev (expected the chosen runs alone with --split test)"
        )
    return options


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Write an ensemble."""
    options = parse_arguments(arguments)
    with heavy_imports():
        from analysis.ensembling import ensemble
    table = ensemble(
        options.runs,
        options.output,
        method=options.method,
        split=options.split,
        select=options.select,
        seed=options.seed,
    )
    console = plain_console()
    console.print(table.to_rich())
    for number, folder in enumerate(options.runs, start=1):
        console.print(f"member {number}: {folder}", soft_wrap=True)
    console.print(f"ensemble: {options.output}", soft_wrap=True)


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
