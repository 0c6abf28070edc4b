"""Each task trained alone and with others, and what it gains."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import yaml

from analysis.table import Table
from experiments.batches import count_batches
from experiments.cells import format_interval, format_spread
from experiments.job import Job
from experiments.options import JobOptions
from experiments.overview import describe, is_limited, is_timed
from experiments.results import publish
from experiments.running import run_jobs, say
from experiments.settings import find_setting, find_tasks
from experiments.systems import Difference, System, check_same_data, compare_systems
from experiments.task_sets import Sets, choose_sets, find_obstacle, name_set
from experiments.task_values import read_tasks
from runtime.counts import counted
from runtime.terminal import plain_console
from tasks import InputError

LIMITED = "Every set got the same budget."
TIMED = "Every set was trained for the same epochs, and at most the same time."
WHOLE_EPOCHS = "Every set was trained for whole epochs."

# What compares the tasks of a training, by group and name, and its value without it.
COMPARISONS: dict[tuple[str, str], Any] = {("model", "surgery"): None, ("conflicts", "every_n_steps"): 0}


def train_sets(configs: Sequence[Path], kinds: Sequence[Sets], options: JobOptions) -> int:
    """Train on each set of tasks and show what each task gains; return the exit status.

    Args:
        configs: The configuration's files.
        kinds: Which sets.
        options: What the trainings share.

    Raises:
        InputError: If there are fewer than two tasks, none enters the mean, or an option or a finished run is not as
            expected.
    """
    files = [*configs, *options.configs]
    plain = find_some_tasks(files)
    flags = choose_task_flags(options.flags, tuple(plain), tuple(plain))
    tasks = read_tasks(files, flags, str(files[-1]))
    sets = []
    for subset in choose_sets(tuple(plain), kinds):
        obstacle = find_obstacle(subset, tasks)
        if obstacle is None:
            sets.append(subset)
        else:
            say(f"{name_set(subset)} is not trained: {obstacle}")
    jobs = build_jobs(plain, configs, sets, options)
    compared = find_comparisons(files, options.flags)
    if compared and any(len(subset) == 1 for subset in sets):
        names = " and ".join(f"{group}.{name}" for group, name in compared)
        say(f"a task alone is trained without {names}: it has no other task to be compared with")
    texts = lay_sets(plain, sets, jobs, compared)
    if not (options.dry_run or options.table_only):
        check_sets(texts, jobs)
    status, systems = run_jobs(jobs, options, files=texts)
    if systems:
        show(tuple(name for name, task in tasks.items() if task.in_mean), systems, options)
    return status


def find_some_tasks(configs: Sequence[Path]) -> dict[str, Any]:
    """Return the `tasks:` of the last file that has them, as plain data.

    Raises:
        InputError: If there are fewer than two.
    """
    tasks = find_tasks(configs)
    if len(tasks) < 2:
        raise InputError(
            f"{configs[-1]}: has {counted(len(tasks), 'task')} (expected at least two, to train alone and together)"
        )
    return tasks


def find_comparisons(configs: Sequence[Path], flags: Sequence[str]) -> list[tuple[str, str]]:
    """Return the group and name of each setting that compares tasks, which a task alone is trained without.

    Args:
        configs: `-c` files in order.
        flags: The flags after them.
    """
    return [place for place in COMPARISONS if find_setting(configs, flags, *place)]


def build_jobs(
    tasks: Mapping[str, Any], configs: Sequence[Path], sets: Sequence[tuple[str, ...]], options: JobOptions
) -> dict[str, list[Job]]:
    """Return the trainings of each set; its own file, with its `tasks:`, overrides the others.

    Args:
        tasks: The tasks as plain data.
        configs: The configuration's files.
        sets: Sets of names of tasks.
        options: What the trainings share.

    Raises:
        InputError: If a limit or a flag is about an unknown task, or only a part of the dev examples would be scored.
    """
    options.check_limits(tasks)
    jobs = {}
    for subset in sets:
        name = name_set(subset)
        path = (options.output / "sets" / f"{name}.yaml").absolute()
        own = replace(options, flags=choose_task_flags(options.flags, subset, tuple(tasks)))
        trainings = [own.job(name, seed, configs, tasks=subset) for seed in options.seed_numbers]
        jobs[name] = [replace(job, configs=(*job.configs, path)) for job in trainings]
    return jobs


def lay_sets(
    tasks: Mapping[str, Any],
    sets: Sequence[tuple[str, ...]],
    jobs: Mapping[str, Sequence[Job]],
    compared: Sequence[tuple[str, str]] = (),
) -> dict[Path, str]:
    """Return the text of the file of each set, by path.

    Args:
        tasks: The tasks as plain data.
        sets: Sets of names of tasks.
        jobs: Their trainings, by the set's name.
        compared: Settings that compare tasks, which the file of a task alone switches off (see `find_comparisons`).
    """
    texts = {}
    for subset in sets:
        settings: dict[str, dict[str, Any]] = {"tasks": {task: tasks[task] for task in subset}}
        for group, name in compared if len(subset) == 1 else ():
            settings[group] = {name: COMPARISONS[group, name]}
        texts[jobs[name_set(subset)][0].configs[-1]] = yaml.safe_dump(settings, sort_keys=False)
    return texts


def check_sets(files: Mapping[Path, str], jobs: Mapping[str, Sequence[Job]]) -> None:
    """Raise an error where a set was run with a file of different tasks.

    Args:
        files: The text of the file of each set, by path.
        jobs: The trainings of each set.

    Raises:
        InputError: If one was.
    """
    for trainings in jobs.values():
        path = trainings[0].configs[-1]
        is_other = path.is_file() and path.read_text(encoding="utf-8") != files[path]
        if is_other and any(job.holds_runs() for job in trainings):
            raise InputError(
                f"{path}: has different tasks, and runs that used it exist (expected the same tasks; for others choose "
                "another --output)"
            )


def choose_task_flags(flags: Sequence[str], chosen: Sequence[str], tasks: Sequence[str]) -> tuple[str, ...]:
    """Leave out the flags of tasks that a set does not have, and for a task alone those that compare tasks.

    Args:
        flags: Flags of train.py, such as `--tasks.sst.weight 2` or `--tasks.sst.weight=2`.
        chosen: Names of the set's tasks.
        tasks: Names of all tasks.

    Raises:
        InputError: If a flag is about none of them, or about the map of all tasks.

    Example:
        >>> choose_task_flags(["--tasks.a.weight", "2", "--tasks.b.weight=3", "--model.x", "1"], ["b"], ["a", "b"])
        ('--tasks.b.weight=3', '--model.x', '1')
    """
    kept: list[str] = []
    is_kept = True
    for word in flags:
        if word.startswith("--"):
            path = word.partition("=")[0].split(".")
            is_task = path[0] == "--tasks"
            if is_task and len(path) == 1:
                raise InputError(f"{word}: every set would train these (expected tasks: in one of the -c files)")
            if is_task and path[1] not in tasks:
                raise InputError(f"{word}: unknown task {path[1]} (expected one of {', '.join(tasks)})")
            is_kept = path[1] in chosen if is_task else len(chosen) > 1 or not _compares_tasks(word)
        if is_kept:
            kept.append(word)
    return tuple(kept)


def _compares_tasks(flag: str) -> bool:
    name = flag.removeprefix("--").partition("=")[0]
    return any(f"{name}.".startswith(f"{group}.{setting}.") for group, setting in COMPARISONS)


def show(tasks: tuple[str, ...], systems: Mapping[str, System], options: JobOptions) -> None:
    """Print the tables, and write them as `results.md` and `results.json` into the output folder."""
    check_same_data(list(systems.values()))
    differences = dict(compare_with_alone(tasks, systems))
    notes = describe(list(systems.values()))
    found, seen = list(systems.values()), {place: share_seen(*place, systems) for place in differences}
    length = TIMED if any(map(is_timed, found)) else LIMITED if any(map(is_limited, found)) else WHOLE_EPOCHS
    notes.append(f"{length}{describe_seen([share for share in seen.values() if share is not None])}")
    tables = [build_scores(tasks, systems)]
    if differences:
        tables.append(build_matrix(tasks, systems, differences))
    sentences = [
        f"{target} trained with {' and '.join(partners(name, target))}: {difference.sentence()}"
        for (name, target), difference in differences.items()
    ]
    results = {
        "scores": {name: {"seeds": system.seeds, "last": system.last} for name, system in systems.items()},
        "transfer": [
            {
                "trained on": name,
                "target": target,
                "own batches": seen[name, target],
                "interval": vars(difference.intervals[target]),
                "verdict": difference.verdict,
            }
            for (name, target), difference in differences.items()
        ],
    }
    publish(options.output, notes, tables, sentences, results, plain_console())


def compare_with_alone(
    tasks: Sequence[str], systems: Mapping[str, System]
) -> Iterator[tuple[tuple[str, str], Difference]]:
    """Compare each task in each larger set with the same task alone: ((set, task), difference)."""
    for name, system in systems.items():
        for target in tasks:
            if target in system.metrics and target in systems and name != target:
                yield (name, target), compare_systems(system, systems[target])


def share_seen(name: str, target: str, systems: Mapping[str, System]) -> float | None:
    """Return how many batches of its own a task saw in a set, as a share of those that it saw alone.

    Budgets, time and schedules decide, so it is what the runs have counted; None where one does not say.
    """
    counts = [
        [count_batches(run.report, list(run.tasks)).get(target) for run in systems[which].runs]
        for which in (name, target)
    ]
    if any(count is None for each in counts for count in each):
        return None
    together, alone = (fmean(count for count in each if count is not None) for each in counts)
    return together / alone


def describe_seen(shares: Sequence[float]) -> str:
    """Say how much of its own each task saw in larger sets.

    Example:
        >>> describe_seen([0.334, 0.5])
        ' In a larger set a task saw 33 % to 50 % of the batches that it saw alone.'
    """
    ends = dict.fromkeys(f"{100 * share:.0f} %" for share in (min(shares), max(shares))) if shares else {}
    return f" In a larger set a task saw {' to '.join(ends)} of the batches that it saw alone." if ends else ""


def partners(name: str, target: str) -> list[str]:
    """Name the other tasks of a set."""
    return [task for task in name.split("+") if task != target]


def build_scores(tasks: Sequence[str], systems: Mapping[str, System]) -> Table:
    """Return the score of each task after each set."""
    cells = [
        (name, *(format_spread(system.last[task]) if task in system.metrics else "" for task in tasks))
        for name, system in systems.items()
    ]
    return Table("Dev scores by the tasks trained on", ("trained on", *tasks), tuple(cells))


def build_matrix(
    tasks: Sequence[str], systems: Mapping[str, System], differences: Mapping[tuple[str, str], Difference]
) -> Table:
    """Return what each set changes for each of its tasks against that task alone."""
    cells = []
    for name in systems:
        line = [differences.get((name, task)) for task in tasks]
        if any(line):
            shown = (
                f"{format_interval(entry.intervals[task])}" if entry else ""
                for task, entry in zip(tasks, line, strict=True)
            )
            cells.append((name, *shown))
    return Table("Difference from the task trained alone, with 95 % intervals", ("trained on", *tasks), tuple(cells))
