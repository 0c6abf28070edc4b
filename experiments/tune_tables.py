"""The tables of a search: every candidate on the chosen half, and the best ones on the other."""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from analysis.table import Table
from experiments.cells import format_interval, format_score, format_spread
from experiments.halving import Rung, pair_held_out, score_half
from experiments.options import JobOptions
from experiments.results import publish
from experiments.search import Search
from experiments.search_space import Recipe
from experiments.statistics import compare
from experiments.systems import Difference, System, check_same_data
from runtime.counts import counted
from runtime.terminal import plain_console
from tasks import InputError

HALVES = (
    "Candidates were chosen by the mean score on one half of the dev rows, drawn once; scores and differences are of "
    "the other half, but for the columns that say so."
)
DEFAULTS = "Candidate 0 is each recipe's command as it stands."


def show(searches: Sequence[Search], rungs: Sequence[Rung], options: JobOptions, *, seed: int) -> None:
    """Print the tables, write them as `results.md` and `results.json`, and each recipe's best values as a `-c` file."""
    first, *others = searches
    check_same_data([search.winner for search in searches], splits=["dev"])
    differences = [compare_held_out(search.winner, first.winner, seed=seed) for search in others]
    tables = [*(build_rounds(search, rungs) for search in searches), build_best(searches, seed=seed)]
    if differences:
        tables.append(build_differences(differences))
    sentences = [difference.sentence() for difference in differences]
    sentences += [
        f"{search.recipe.name}: its best values are in {search.write_best()}; this trains with them: "
        f"{search.best_command}"
        for search in searches
    ]
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


def describe_cost(recipes: Sequence[Recipe], rungs: Sequence[Rung]) -> list[str]:
    """Return what the search will train."""
    rounds = ", ".join(
        f"{rung.candidates} x {rung.steps} steps{f' x {rung.seeds} seeds' if rung.seeds > 1 else ''}" for rung in rungs
    )
    each = sum(rung.total_steps for rung in rungs)
    return [f"each of {counted(len(recipes), 'recipe')}: {rounds}; {each:,} steps, {each * len(recipes):,} in all"]


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
    """Return every candidate with its values, and its mean on the half that is chosen on after each round.

    The values share a column, with names cut short: a column for each would leave a terminal no room to read them.
    """
    names = shorten(list(search.recipe.options))
    seen = [number for number in range(len(search.candidates)) if any(number in each for each in search.rounds)]
    cells = []
    for number in seen:
        values = ", ".join(f"{names[name]} {value}" for name, value in search.candidates[number].items())
        means = [
            format_spread(score_half(each[number], 0, seed=search.seed)["mean"]) if number in each else ""
            for each in search.rounds
        ]
        marked = f"{number} *" if number == search.best else str(number)
        cells.append((marked, values or "as the command stands", *means))
    columns = ("candidate", "values", *(f"{rung.steps} steps" for rung in rungs))
    return Table(f"{search.recipe.name}: chosen half", columns, tuple(cells), num_text_columns=2)


def shorten(names: Sequence[str]) -> dict[str, str]:
    """Return each dotted name's shortest ending that no other name has.

    Example:
        >>> shorten(["model.optimizer.lr", "tasks.sst.weight", "tasks.sts.weight"])
        {'model.optimizer.lr': 'lr', 'tasks.sst.weight': 'sst.weight', 'tasks.sts.weight': 'sts.weight'}
    """
    endings = {
        name: [".".join(name.split(".")[start:]) for start in reversed(range(name.count(".") + 1))] for name in names
    }
    counts = Counter(ending for each in endings.values() for ending in each)
    return {name: next((each for each in own if counts[each] == 1), name) for name, own in endings.items()}


def build_best(searches: Sequence[Search], *, seed: int) -> Table:
    """Return the best candidate of each recipe, scored on both halves."""
    scores = [score_half(search.winner, 1, seed=seed) for search in searches]
    columns = sorted(dict.fromkeys(name for each in scores for name in each), key=lambda name: name == "mean")
    cells = []
    for search, held_out in zip(searches, scores, strict=True):
        chosen = fmean(score_half(search.winner, 0, seed=seed)["mean"])
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
        "command": search.best_command,
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
