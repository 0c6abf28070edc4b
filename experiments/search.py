"""The search over one recipe, round after round."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from os.path import relpath
from pathlib import Path
from typing import Any

import yaml

from experiments.budget import Budget
from experiments.fit_parser import read_settings
from experiments.halving import Rung, rank
from experiments.job import Job
from experiments.options import JobOptions
from experiments.running import run_jobs
from experiments.search_space import Recipe, as_flags
from experiments.systems import System, check_same_data
from runtime.whole_files import replacing


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
            if self.options.table_only:
                for number in numbers:
                    for job in jobs[f"{self.recipe.name}/candidate-{number}"]:
                        job.check_flags(as_flags(self.candidates[number]))
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

    @property
    def best_command(self) -> str:
        """The command that trains the best candidate for as long, and on as much, as its recipe says."""
        assert self.best is not None
        configs = [word for path in (*self.recipe.configs, *self.options.configs) for word in ("-c", relpath(path))]
        flags = [*self.recipe.flags, *as_flags(self.candidates[self.best]), *self.options.flags]
        return shlex.join(["python", "train.py", "fit", *configs, *flags, *self.options.place_flags()])

    def write_best(self) -> Path:
        """Write the best candidate's values as a `-c` file behind those of its trainings, and return its path."""
        assert self.best is not None
        values = self.candidates[self.best]
        everything = replace(self.options, train_limits={}, budget=None)
        job = build_job(self.recipe, self.best, values, Rung(1, 1, 1), 1, (), everything)
        settings = read_settings(job.configs, job.flags, self.recipe.origin)
        path = self.options.output / f"{self.recipe.name}.yaml"
        with replacing(path) as file:
            file.write(yaml.safe_dump(take_options(settings, values), sort_keys=False).encode())
        return path


def take_options(settings: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the settings that hold some options: a class with all of its own, and all tasks, which a file replaces.

    Args:
        settings: The settings of a training.
        names: Names of the options.

    Example:
        >>> settings = {"model": {"lr": 0.1, "surgery": {"class_path": "PcGrad", "init_args": {"reduction": "mean"}}}}
        >>> take_options(settings, ["model.surgery.reduction"])
        {'model': {'surgery': {'class_path': 'PcGrad', 'init_args': {'reduction': 'mean'}}}}
    """
    taken: dict[str, Any] = {}
    for name in names:
        outer, inner = settings, taken
        *groups, last = name.split(".")
        for group in groups:
            if group == "tasks" or "class_path" in outer[group]:
                last = group
                break
            outer, inner = outer[group], inner.setdefault(group, {})
        inner[last] = outer.get(last)
    return taken
