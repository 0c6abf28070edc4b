"""Fair tuning: `python -m experiments.tune search.yaml --budget steps=N`; see docs/tuning.md.

`search.yaml` is a list of recipes: a name, a training command and ranges for some of its options. Each recipe gets the
same number of candidates and steps. Candidates are chosen on one half of the dev rows and reported on the other.
"""

import argparse
import sys
from collections.abc import Sequence

from experiments.fit_parser import check_flags
from experiments.halving import Rung, lay_rungs
from experiments.options import JobOptions, add_options, read_options, split_arguments
from experiments.running import say
from experiments.search import Search, build_job
from experiments.search_space import Recipe, read_recipes
from experiments.task_values import check_metrics, read_tasks
from experiments.tune_tables import describe_cost, show
from runtime.arguments import Arguments
from runtime.command import command
from runtime.utf8 import use_utf8
from tasks import InputError


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
    parser.add_argument("--search_seed", type=int, default=0, help="seed of values and halves (default: 0)")
    add_options(parser, output="runs/tune")
    parsed = parser.parse_args(own)
    options = read_options(parsed, extra)
    rungs = read_rungs(parsed, options)
    recipes = read_recipes(parsed.file)
    tasks = {
        recipe.name: read_tasks([*recipe.configs, *options.configs], [*recipe.flags, *options.flags], recipe.origin)
        for recipe in recipes
    }
    check_metrics({recipe.origin: tasks[recipe.name] for recipe in recipes})
    options.check_limits(task for found in tasks.values() for task in found)
    for line in describe_cost(recipes, rungs):
        say(line)
    if not options.table_only:
        for recipe in recipes:
            check_values(recipe, options)
    searches = [Search(recipe, tuple(tasks[recipe.name]), rungs, options, parsed.search_seed) for recipe in recipes]
    status = max(search.run() for search in searches)
    found = [search for search in searches if search.best is not None]
    if found:
        show(found, rungs, options, seed=parsed.search_seed)
    return status


def read_rungs(parsed: argparse.Namespace, options: JobOptions) -> list[Rung]:
    """Return the rounds that the options ask for.

    Raises:
        InputError: If an option is out of range, or the budget is missing or not in steps.
    """
    for name, least in (("candidates", 1), ("rungs", 1), ("factor", 2), ("search_seed", 0)):
        if getattr(parsed, name) < least:
            raise InputError(f"--{name} {getattr(parsed, name)}: expected {least} or more")
    if options.budget is None or options.budget.unit != "steps":
        raise InputError("--budget: expected steps=N, the optimiser steps of a training of the first round")
    return lay_rungs(
        parsed.candidates, options.budget.amount, rungs=parsed.rungs, factor=parsed.factor, seeds=options.seeds
    )


def check_values(recipe: Recipe, options: JobOptions) -> None:
    """Let the parser of train.py read every value of a choice and both ends of a range.

    Raises:
        InputError: If it, or a task, refuses one.
    """
    for values in recipe.extremes():
        job = build_job(recipe, 1, values, Rung(1, 1, 1), 1, (), options)
        check_flags(job.configs, job.flags, recipe.origin)
        read_tasks(job.configs, job.flags, recipe.origin)


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
