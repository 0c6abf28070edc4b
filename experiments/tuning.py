"""The search of each recipe, and what was found."""

from collections.abc import Sequence

from experiments.fit_parser import check_flags
from experiments.halving import Rung
from experiments.job import Job
from experiments.options import JobOptions
from experiments.running import say
from experiments.search import Search, build_job
from experiments.search_space import Recipe, as_flags
from experiments.settings import find_flag
from experiments.task_values import check_metrics, read_tasks
from experiments.tune_tables import describe_cost, show
from runtime.errors import InputError


def search_recipes(recipes: Sequence[Recipe], rungs: Sequence[Rung], options: JobOptions, *, seed: int) -> int:
    """Search each recipe and show what was found; return the exit status.

    Args:
        recipes: The recipes.
        rungs: The rounds.
        options: What the trainings share.
        seed: Seed of values and halves.

    Raises:
        InputError: If a recipe is not as expected.
    """
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
            check_values(recipe, tuple(tasks[recipe.name]), options)
    searches = [Search(recipe, tuple(tasks[recipe.name]), rungs, options, seed) for recipe in recipes]
    status = max(search.run() for search in searches)
    found = [search for search in searches if search.best is not None]
    if found:
        show(found, rungs, options, seed=seed)
    return status


def check_values(recipe: Recipe, tasks: Sequence[str], options: JobOptions) -> None:
    """Let the parser of train.py read the command as it stands, every value of a choice and both ends of a range.

    Raises:
        InputError: If it, or a task, refuses one, or another flag has the last word on an option.
    """
    for values in ({}, *recipe.extremes()):
        job = build_job(recipe, 1, values, Rung(1, 1, 1), 1, tasks, options)
        _refuse_overruled(job, as_flags(values), recipe.origin)
        check_flags(job.configs, job.flags, recipe.origin)
        read_tasks(job.configs, job.flags, recipe.origin)


def _refuse_overruled(job: Job, drawn: Sequence[str], origin: str) -> None:
    """Refuse an option that a later flag sets: all candidates would train with that value, under their own."""
    for flag in drawn:
        name, _, value = flag.partition("=")
        last = find_flag(job.flags, name)
        if last != value:
            raise InputError(
                f"{origin}: {name[2:]} is {last} in every training, as the search's own flags or those behind -- say "
                "(expected an option that they leave alone)"
            )
