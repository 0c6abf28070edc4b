"""Fair tuning: `python -m experiments.tune search.yaml --budget steps=N`; see docs/tuning.md.

`search.yaml` is a list of recipes: a name, a training command and ranges for some of its options. Each recipe gets the
same number of candidates and steps. Candidates are chosen on one half of the dev rows and reported on the other.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from analysis.command import command
from analysis.table import Table
from experiments.budget import Budget
from experiments.cells import format_interval, format_score, format_spread
from experiments.comparison import Difference, System, check_same_data, choose_metric
from experiments.halving import Rung, lay_rungs, pair_held_out, rank, score_half
from experiments.job import TRAIN, Job
from experiments.options import JobOptions, add_options, read_options, split_arguments
from experiments.results import publish
from experiments.running import run_jobs, say
from experiments.search_space import Recipe, as_flags, read_recipes
from experiments.statistics import compare
from experiments.task_values import read_tasks
from runtime.terminal import plain_console
from runtime.utf8 import use_utf8
from runtime.whole_files import replacing
from tasks import InputError

HALVES = (
    "Candidates were chosen by the mean score on one half of the dev rows, drawn once; scores and differences are of "
    "the other half, but for the columns that say so."
)
DEFAULTS = "Candidate 0 is each recipe's command as it stands."


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Search each recipe and show what was found; return the exit status."""
    own, extra = split_arguments(arguments)
    parser = argparse.ArgumentParser(prog="python -m experiments.tune", description=__doc__, allow_abbrev=False)
    parser.add_argument("file", metavar="SEARCH.yaml", help="a list of recipes: name, command, options")
    parser.add_argument(
        "--candidates", type=int, default=9, help="candidates of each recipe in the first round (default: 9)"
    )
    parser.add_argument("--rungs", type=int, default=3, help="rounds of the search (default: 3)")
    parser.add_argument(
        "--factor", type=int, default=3,
        help="each round keeps 1 / FACTOR of the candidates and trains them FACTOR times as long (default: 3)",
    )  # fmt: skip
    parser.add_argument("--search-seed", "--search_seed", type=int, default=0, help="seed of values and halves")
    add_options(parser, output="runs/tune")
    parsed = parser.parse_args(own)
    options = read_options(parsed, extra)
    rungs = read_rungs(parsed, options)
    recipes = read_recipes(parsed.file)
    tasks = {recipe.name: check_recipe(recipe, options) for recipe in recipes}
    options.check_limits(task for names in tasks.values() for task in names)
    for line in describe_cost(recipes, rungs):
        say(line)
    if not (options.dry_run or options.table_only):
        for recipe in recipes:
            try_flags(recipe, options, seed=parsed.search_seed)
    searches = [Search(recipe, tasks[recipe.name], rungs, options, parsed.search_seed) for recipe in recipes]
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


def check_recipe(recipe: Recipe, options: JobOptions) -> tuple[str, ...]:
    """Return the names of a recipe's tasks.

    Raises:
        InputError: If its tasks cannot be read, or the first metric of one is not accuracy or Pearson's correlation.
    """
    tasks = read_tasks([*recipe.configs, *options.configs], [*recipe.flags, *options.flags], recipe.origin)
    for name, task in tasks.items():
        choose_metric(task, f"{recipe.origin}: task {name}")
    return tuple(tasks)


def describe_cost(recipes: Sequence[Recipe], rungs: Sequence[Rung]) -> list[str]:
    """Return what the search will train."""
    rounds = ", ".join(
        f"{rung.candidates} x {rung.steps} steps{f' x {rung.seeds} seeds' if rung.seeds > 1 else ''}" for rung in rungs
    )
    each = sum(rung.total_steps for rung in rungs)
    return [f"each of {len(recipes)} recipe(s): {rounds}; {each:,} steps, {each * len(recipes):,} in all"]


def try_flags(recipe: Recipe, options: JobOptions, *, seed: int) -> None:
    """Let train.py read the flags of a recipe's first drawn candidate, and train nothing.

    Raises:
        InputError: If it refuses them.
    """
    values = recipe.candidates(2, seed=seed)[1]
    job = build_job(recipe, 1, values, Rung(1, 1, 1), 1, (), options)
    words = [word for path in job.configs for word in ("-c", str(path))]
    done = subprocess.run(
        [sys.executable, str(TRAIN), "fit", *words, *job.flags, "--print_config"],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["it says nothing"]
        said = next((line for line in lines if "error: " in line), lines[-1])
        raise InputError(
            f"{recipe.origin}: train.py refuses {' '.join(as_flags(values))} ({said.removeprefix('error: ')})"
        )


def build_job(
    recipe: Recipe,
    number: int,
    values: Mapping[str, Any],
    rung: Rung,
    seed: int,
    tasks: Sequence[str],
    options: JobOptions,
) -> Job:
    """Return the training of a candidate in a round with a seed."""
    return options.job(
        f"{recipe.name}/candidate-{number}/{rung.steps}-steps",
        seed,
        recipe.configs,
        tasks=tasks,
        budget=Budget("steps", rung.steps),
        flags=(*recipe.flags, *as_flags(values)),
    )


class Search:
    """The search over one recipe: a function of its file and the options, so that the same command goes on with it.

    Args:
        recipe: The recipe.
        tasks: Names of its tasks.
        rungs: The rounds.
        options: What all trainings share.
        seed: Seed of the values and of the halves.

    Attributes:
        rounds: The finished candidates of each round by number, the better ones first.
        best: Number of the candidate that the last round chose; None before.
    """

    def __init__(
        self, recipe: Recipe, tasks: tuple[str, ...], rungs: Sequence[Rung], options: JobOptions, seed: int
    ) -> None:
        self.recipe, self.tasks, self.rungs, self.options, self.seed = recipe, tasks, rungs, options, seed
        self.candidates = recipe.candidates(rungs[0].candidates, seed=seed)
        self.rounds: list[dict[int, System]] = []
        self.best: int | None = None

    def run(self) -> int:
        """Run round after round; return the exit status."""
        numbers, status = list(range(len(self.candidates))), 0
        for rung in self.rungs:
            numbers = numbers[: rung.candidates]
            jobs = {
                f"{self.recipe.name}/candidate-{number}": [
                    build_job(self.recipe, number, self.candidates[number], rung, seed, self.tasks, self.options)
                    for seed in range(1, rung.seeds + 1)
                ]
                for number in numbers
            }
            ended, systems = run_jobs(jobs, self.options)
            status = max(status, ended)
            if not systems:
                return status
            found = {int(name.rpartition("-")[2]): system for name, system in systems.items()}
            check_same_data(list(found.values()))
            numbers = rank(found, seed=self.seed)
            self.rounds.append({number: found[number] for number in numbers})
        self.best = numbers[0]
        return status

    @property
    def winner(self) -> System:
        """The runs of the best candidate of the last round."""
        assert self.best is not None
        return replace(self.rounds[-1][self.best], name=self.recipe.name)

    def write_best(self) -> Path:
        """Write the best candidate's values as a `-c` file, and return its path."""
        assert self.best is not None
        nested: dict[str, Any] = {}
        for name, value in self.candidates[self.best].items():
            *groups, last = name.split(".")
            inner = nested
            for group in groups:
                inner = inner.setdefault(group, {})
            inner[last] = value
        path = self.options.output / f"{self.recipe.name}.yaml"
        with replacing(path) as file:
            file.write(yaml.safe_dump(nested, sort_keys=False).encode() if nested else b"{}\n")
        return path


def show(searches: Sequence[Search], rungs: Sequence[Rung], options: JobOptions, *, seed: int) -> None:
    """Print the tables, write them as `results.md` and `results.json`, and each recipe's best values as a `-c` file."""
    first, *others = searches
    check_same_data([search.winner for search in searches], splits=["dev"])
    differences = [compare_held_out(search.winner, first.winner, seed=seed) for search in others]
    tables = [*(build_rounds(search, rungs) for search in searches), build_best(searches, seed=seed)]
    if differences:
        tables.append(build_differences(differences))
    sentences = [difference.sentence() for difference in differences]
    sentences += [f"{search.recipe.name}: its best values are in {search.write_best()}" for search in searches]
    publish(
        options.output,
        [HALVES, DEFAULTS, *describe_cost([search.recipe for search in searches], rungs)],
        tables,
        sentences,
        {
            "recipes": [describe_search(search, rungs) for search in searches],
            "differences": [describe_difference(each) for each in differences],
        },
        plain_console(),
    )


def compare_held_out(one: System, other: System, *, seed: int) -> Difference:
    """Compare two systems on the half of the dev rows that nothing was chosen on.

    Raises:
        InputError: If they have no task in common.
    """
    pairs = pair_held_out(one, other, seed=seed)
    if not pairs:
        raise InputError(f"{one.name} and {other.name} have no task in common")
    intervals = compare(pairs)
    if len(pairs) == 1:
        del intervals["mean"]
    return Difference(one.name, other.name, intervals, {}, (len(one.runs), len(other.runs)))


def build_rounds(search: Search, rungs: Sequence[Rung]) -> Table:
    """Return every candidate with its values, and its mean on the half that is chosen on after each round."""
    names = list(search.recipe.options)
    seen = [number for number in range(len(search.candidates)) if any(number in each for each in search.rounds)]
    cells = []
    for number in seen:
        values = search.candidates[number]
        means = [
            format_spread(score_half(each[number], 0, seed=search.seed)["mean"]) if number in each else ""
            for each in search.rounds
        ]
        marked = f"{number} *" if number == search.best else str(number)
        cells.append((marked, *(str(values.get(name, "")) for name in names), *means))
    columns = ("candidate", *names, *(f"{rung.steps} steps" for rung in rungs))
    return Table(f"{search.recipe.name}: chosen half", columns, tuple(cells), num_text_columns=1 + len(names))


def build_best(searches: Sequence[Search], *, seed: int) -> Table:
    """Return the best candidate of each recipe, scored on both halves."""
    columns = list(dict.fromkeys(name for search in searches for name in (*search.tasks, "mean")))
    columns.sort(key=lambda name: name == "mean")
    cells = []
    for search in searches:
        held_out = score_half(search.winner, 1, seed=seed)
        chosen = float(sum(found := score_half(search.winner, 0, seed=seed)["mean"]) / len(found))
        shown = (format_spread(held_out[name]) if name in held_out else "" for name in columns)
        cells.append((search.recipe.name, str(search.best), *shown, format_score(chosen)))
    return Table("Best candidates, held-out half", ("recipe", "candidate", *columns, "mean, chosen half"), tuple(cells))


def build_differences(differences: Sequence[Difference]) -> Table:
    """Return each recipe's difference from the first one."""
    columns = list(dict.fromkeys(name for difference in differences for name in difference.intervals))
    cells = [
        (each.name, each.against, *(format_interval(each.intervals.get(name)) for name in columns), each.verdict)
        for each in differences
    ]
    head = ("recipe", "compared with", *columns, "verdict")
    return Table("Differences on the held-out half with 95 % intervals", head, tuple(cells))


def describe_search(search: Search, rungs: Sequence[Rung]) -> dict[str, Any]:
    """Return the numbers of a search as plain data."""
    return {
        "name": search.recipe.name,
        "best": search.best,
        "candidates": search.candidates,
        "rounds": [
            {
                "steps": rung.steps,
                "candidates": {
                    str(number): {
                        "chosen half": score_half(system, 0, seed=search.seed),
                        "held-out half": score_half(system, 1, seed=search.seed),
                        "runs": [str(run.folder) for run in system.runs],
                    }
                    for number, system in each.items()
                },
            }
            for rung, each in zip(rungs, search.rounds, strict=True)
        ],
    }


def describe_difference(difference: Difference) -> dict[str, Any]:
    """Return a difference as plain data."""
    return {
        "recipe": difference.name,
        "against": difference.against,
        "intervals": {name: vars(interval) for name, interval in difference.intervals.items()},
        "verdict": difference.verdict,
    }


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
