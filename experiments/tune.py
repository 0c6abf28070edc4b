"""Fair tuning: `python -m experiments.tune search.yaml --budget steps=N`; see docs/tuning.md.

`search.yaml` is a list of recipes: a name, a training command and ranges for some of its options. Each recipe gets the
same number of candidates and steps. Candidates are chosen on one half of the dev rows and reported on the other.
"""

import argparse
import sys
from collections.abc import Sequence

from experiments.budget import Budget
from experiments.options import JobOptions, add_options, read_options, split_arguments
from runtime.arguments import Arguments, seed_number
from runtime.command import command
from runtime.errors import InputError
from runtime.importing import heavy_imports
from runtime.utf8 import use_utf8


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Search each recipe and show what was found; return the exit status."""
    own, extra = split_arguments(arguments)
    parser = Arguments("experiments.tune", __doc__, passes_on="train.py")
    parser.add_argument("file", metavar="SEARCH.yaml", help="a list of recipes: name, command, options")
    parser.add_argument(
        "--candidates", type=int, default=9, help="candidates of each recipe in the first round (default: 9)"
    )
    parser.add_argument("--rungs", type=int, default=3, help="rounds of the search (default: 3)")
    parser.add_argument(
        "--factor", type=int, default=3,
        help="each round keeps 1 / FACTOR of the candidates and trains them FACTOR times as long (default: 3)",
    )  # fmt: skip
    parser.add_argument("--search_seed", type=seed_number, default=0, help="seed of values and halves (default: 0)")
    add_options(parser, output="runs/tune")
    parsed = parser.parse_args(own)
    options = read_options(parsed, extra)
    budget = check_numbers(parsed, options)
    with heavy_imports():
        from experiments.halving import lay_rungs
        from experiments.search_space import read_recipes
        from experiments.tuning import search_recipes
    rungs = lay_rungs(parsed.candidates, budget.amount, rungs=parsed.rungs, factor=parsed.factor, seeds=options.seeds)
    return search_recipes(read_recipes(parsed.file), rungs, options, seed=parsed.search_seed)


def check_numbers(parsed: argparse.Namespace, options: JobOptions) -> Budget:
    """Return the budget of a training of the first round.

    Raises:
        InputError: If an option is out of range, or the budget is missing or not in steps.
    """
    for name, least in (("candidates", 1), ("rungs", 1), ("factor", 2)):
        if getattr(parsed, name) < least:
            raise InputError(f"--{name} {getattr(parsed, name)}: expected {least} or more")
    if options.budget is None or options.budget.unit != "steps":
        raise InputError("--budget: expected steps=N, the optimiser steps of a training of the first round")
    return options.budget


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
