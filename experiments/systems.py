"""Scores of the finished runs of several systems, and how certain their differences are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from analysis.intervals import mcnemar
from analysis.run import Run
from analysis.scores import select_scored
from analysis.weighted_counts import Floats
from experiments.dev_curve import choose_best, read_dev_curve
from experiments.job import Job
from experiments.statistics import Interval, PairedRuns, compare, williams
from tasks import InputError, Split
from tasks.metrics import MetricName
from tasks.source import SPLITS

Verdict = Literal["helped", "hurt", "cannot be told apart"]
TESTED: tuple[MetricName, ...] = ("accuracy", "pearson")


class Answers(NamedTuple):
    """What the runs of a system predicted for the dev rows of a task that have a label.

    Args:
        labels: The labels as the task's first metric takes them, (n, ...).
        predictions: Predictions of the final weights of each run, or probabilities if it needs them, (K, n, ...).
        file: Digest of the file of the rows.
        places: Line or row of it that each row stands on, [n].
    """

    labels: Floats
    predictions: Floats
    file: str
    places: list[int]


@dataclass(frozen=True)
class System:
    """The finished runs of one configuration, one per seed.

    Args:
        name: Name of the configuration.
        jobs: Their jobs, each finished.
    """

    name: str
    jobs: tuple[Job, ...]

    @cached_property
    def runs(self) -> list[Run]:
        """The runs, in the order of their seeds."""
        return [run for job in self.jobs if (run := job.finished())]

    @property
    def seeds(self) -> list[int]:
        """The seeds."""
        return [int(run.report["seed"]) for run in self.runs]

    @cached_property
    def metrics(self) -> dict[str, MetricName]:
        """The first metric of each task that enters the mean."""
        return {name: task.metric_names[0] for name, task in self.runs[0].tasks.items() if task.in_mean}

    @property
    def columns(self) -> tuple[str, ...]:
        """What it is scored by: its tasks, and their `mean` if there are several."""
        return (*self.metrics, "mean") if len(self.metrics) > 1 else tuple(self.metrics)

    @cached_property
    def last(self) -> dict[str, list[float]]:
        """Scores of the final weights, one per seed, by task, and their `mean`; NaN where undefined."""
        scores = {
            name: [_number(run.report["metrics"][name][metric]) for run in self.runs]
            for name, metric in self.metrics.items()
        }
        return {**scores, "mean": [_number(run.report["metrics"]["mean"]) for run in self.runs]}

    @cached_property
    def best(self) -> dict[str, list[float]]:
        """Scores of the validation with the best mean of each run; chosen on dev, so they are optimistic."""
        points = [choose_best(read_dev_curve(job.trainings(), self.metrics)) for job in self.jobs]
        names = (*self.metrics, "mean")
        return {name: [point.scores[name] if point else float("nan") for point in points] for name in names}

    @cached_property
    def answers(self) -> dict[str, Answers]:
        """What the final weights predicted for the dev rows, by task."""
        found = {}
        for name, metric in self.metrics.items():
            read = [run.read_predictions(name) for run in self.runs]
            scored = [
                select_scored(one, metric, f"{run.folder}, task {name}")
                for run, one in zip(self.runs, read, strict=True)
            ]
            labels, predictions = zip(*scored, strict=True)
            by_id = {example.id: place for place, example in self.runs[0].read_located(name)}
            file, places = (
                self.runs[0].report["data"][name]["dev"]["sha256"],
                [by_id[one.id] for one in read[0].examples],
            )
            found[name] = Answers(labels[0], np.stack(predictions), file, places)
        return found


@dataclass(frozen=True)
class Difference:
    """One system against another, by the scores of their final weights.

    Args:
        name: The system.
        against: The other one.
        intervals: First minus second with a 95 % interval, by task; `mean` where they have more than one in common.
        p_values: Exact tests for one run of each (McNemar for accuracy, Williams for Pearson's correlation), by task;
            of no other metric, and empty for more runs.
        runs: Runs of the two systems.
    """

    name: str
    against: str
    intervals: Mapping[str, Interval]
    p_values: Mapping[str, float]
    runs: tuple[int, int]

    @property
    def measure(self) -> str:
        """What the verdict is about: `mean`, or the only task."""
        return "mean" if "mean" in self.intervals else next(iter(self.intervals))

    @property
    def verdict(self) -> Verdict:
        """Whether the first system is better or worse, or the two cannot be told apart."""
        interval = self.intervals[self.measure]
        if not interval.excludes_zero:
            return "cannot be told apart"
        return "helped" if interval.estimate > 0 else "hurt"

    def sentence(self) -> str:
        """Return the verdict as one sentence."""
        interval = self.intervals[self.measure]
        numbers = f"{interval.estimate:+.4f}, 95 % interval {interval.low:+.4f} to {interval.high:+.4f}"
        said = {
            "helped": f"{self.name} is better than {self.against}",
            "hurt": f"{self.name} is worse than {self.against}",
            "cannot be told apart": f"{self.name} and {self.against} cannot be told apart",
        }[self.verdict]
        if np.isnan(interval.estimate):
            why = "all predictions of a run or all labels of a task are the same"
            return f"{self.name} against {self.against}: undefined, as {why}."
        if np.isnan(interval.low):
            return (
                f"{said} ({self.measure} {interval.estimate:+.4f}, interval undefined: many resamples have no score)."
            )
        return f"{said} ({self.measure} {numbers}{self._unknown_noise()})."

    def _unknown_noise(self) -> str:
        """Return what the interval leaves out: the noise between the runs of a system that has only one."""
        if max(self.runs) == 1:
            return "; one run each: the noise between runs is not included"
        if min(self.runs) > 1:
            return ""
        alone = self.name if self.runs[0] == 1 else self.against
        return f"; one run of {alone}: the noise between its runs is not included"


def compare_systems(first: System, second: System) -> Difference:
    """Compare the final weights of two systems on the dev rows of the tasks that both have.

    Raises:
        InputError: If they have no task in common, or were scored by different metrics or on different dev rows.
    """
    shared = [name for name in first.metrics if name in second.metrics]
    if not shared:
        raise InputError(f"{first.name} and {second.name} have no task in common")
    tasks = {}
    for name in shared:
        one, other = first.answers[name], second.answers[name]
        if first.metrics[name] != second.metrics[name]:
            raise InputError(f"{first.name} and {second.name} have different first metrics of {name}")
        if not np.array_equal(one.labels, other.labels):
            raise InputError(f"{first.name} and {second.name} were scored on different dev rows of {name}")
        tasks[name] = pair_answers(first.metrics[name], one, other)
    intervals = compare(tasks)
    if len(shared) == 1:
        del intervals["mean"]
    runs = len(first.runs), len(second.runs)
    p_values = {name: _test(task) for name, task in tasks.items() if task.metric in TESTED and runs == (1, 1)}
    return Difference(first.name, second.name, intervals, p_values, runs)


def pair_answers(metric: MetricName, first: Answers, second: Answers) -> PairedRuns:
    """Return what two systems predicted for the same rows of a task, which the metric scores."""
    return PairedRuns(metric, first.labels, first.predictions, second.predictions, first.file, first.places)


def check_same_data(systems: Sequence[System], *, splits: Sequence[Split] = SPLITS) -> None:
    """Raise an error unless all runs read the same data and rows.

    Args:
        systems: The systems.
        splits: Splits to check; without `train`, a system may be trained on more data than another.

    Raises:
        InputError: If two runs read different files, or different rows of them, for a split of a task; of dev, for a
            task that enters the mean.
    """
    seen: dict[tuple[str, str], tuple[Path, object]] = {}
    for system, run in ((each, run) for each in systems for run in each.runs):
        for task, sources in run.report["data"].items():
            read = [split for split in splits if split in sources and (split != "dev" or task in system.metrics)]
            for split, source in ((split, sources[split]) for split in read):
                what = (source["sha256"], source["rows"], source.get("split"))
                folder, before = seen.setdefault((task, split), (run.folder, what))
                if before != what:
                    raise InputError(
                        f"{run.folder} and {folder} read different {split} data of {task} (expected the same file and "
                        "rows)"
                    )


def _test(task: PairedRuns) -> float:
    """Return the p value of the exact test for one run of each system."""
    first, second = task.first[0], task.second[0]
    if task.metric == "accuracy":
        return mcnemar(first == task.labels, second == task.labels)
    return williams(task.labels, first, second)


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
