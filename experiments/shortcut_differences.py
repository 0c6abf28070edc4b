"""Several trainings beside a model of shared words, and beside each other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.overlap_bands import find_bands, group_labels, rank
from analysis.resampling import score_runs
from analysis.run import Predictions, Run
from analysis.shortcut_model import guess
from analysis.shortcut_tables import MISSING
from analysis.table import Table
from analysis.weighted_counts import Floats
from experiments.cells import format_interval, format_spread, without_zero
from experiments.statistics import Interval, PairedRuns, compare
from heads import Scores
from runtime.counts import counted
from runtime.run_folders import list_runs
from tasks import InputError, Split
from tasks.metrics import MetricName

Systems = Mapping[str, Sequence[Run]]
NOTE = (
    "Means over the runs, with their standard deviation. Differences are to {first}, with a 95 % interval over rows "
    "and runs."
)


class Compared(NamedTuple):
    """What a measure says of all systems: a table, and the numbers in it as plain data."""

    table: Table
    numbers: dict[str, Any]


@dataclass(frozen=True)
class Measure:
    """How runs are scored on some rows.

    Args:
        name: What is measured.
        metric: `accuracy`, `pearson`, or `auroc` of positive pairs above negative ones.
        rows: Which rows, (n,); None for all.
    """

    name: str
    metric: MetricName
    rows: NDArray[np.bool_] | None = None

    def scores(self, runs: Sequence[Predictions]) -> list[float]:
        """Return the score of each run; NaN where it is undefined."""
        labels, answers = self._answers(runs)
        return score_runs(self.metric, labels, answers).tolist() if labels.size else [float("nan")] * len(runs)

    def differ(self, runs: Sequence[Predictions], others: Sequence[Predictions]) -> Interval | None:
        """Return by how much runs score better than others, with an interval; None where there is no row."""
        labels, own = self._answers(runs)
        if not labels.size:
            return None
        return compare({"": PairedRuns(self.metric, labels, own, self._answers(others)[1])})[""]

    def _answers(self, runs: Sequence[Predictions]) -> tuple[Floats, Floats]:
        """Return labels and the predictions of each run as the metric takes them, (n,) and (K, n)."""
        chosen: NDArray[np.bool_] | slice = slice(None) if self.rows is None else self.rows
        if self.metric != "auroc":
            return runs[0].labels[chosen], np.stack([one.predictions for one in runs])[:, chosen]
        positive, rankings = zip(*map(rank, runs), strict=True)
        return positive[0][chosen], np.stack(rankings)[:, chosen]


def read_systems(folders: Sequence[Path]) -> dict[str, list[Run]]:
    """Return the finished runs of each folder, by its name: the newest of each seed.

    Raises:
        InputError: If a folder holds none, or two have one name.
    """
    systems: dict[str, list[Run]] = {}
    for folder in folders:
        name = folder.resolve().name
        if name in systems:
            raise InputError(f"{folder}: there are two folders named {name} (expected different names)")
        seeds = [folder] if _is_run(folder) else [_newest(place) for place in (folder, *sorted(folder.glob("*/")))]
        systems[name] = [Run(place) for place in seeds if place is not None]
        if not systems[name]:
            raise InputError(f"{folder}: holds no finished run (expected a run, or seed-N/version_N/ with report.json)")
    return systems


def _is_run(folder: Path) -> bool:
    return (folder / "report.json").is_file()


def _newest(folder: Path) -> Path | None:
    return next((run for run in reversed(list_runs(folder)) if _is_run(run)), None)


def compare_shortcuts(systems: Systems, task: str | None, split: Split) -> Iterator[Compared]:
    """Compare systems task by task, the others with the first.

    Args:
        systems: Runs by name.
        task: One task alone; None for each that all runs have.
        split: Which predictions.

    Raises:
        InputError: If there is no such task, or the runs were scored on different rows.
    """
    runs = [run for system in systems.values() for run in system]
    shared = [name for name in runs[0].tasks if all(run.has_predictions(name, split) for run in runs)]
    if task is not None and task not in shared:
        raise InputError(f"--task {task}: expected one that every run has {split} predictions of: {', '.join(shared)}")
    if not shared:
        raise InputError(f"the runs have no {split} predictions of a common task")
    for name in shared if task is None else [task]:
        found = {each: [run.read_predictions(name, split) for run in system] for each, system in systems.items()}
        _check_rows(name, found, split)
        guessed = guess(next(iter(found.values()))[0], runs[0].read_examples(name, "train"))
        if guessed is None:
            yield Compared(Table(f"{name}: {MISSING}", ("",), []), {"task": name, "measure": None})
        else:
            yield from _build_tables(name, found, *guessed)


def _check_rows(task: str, found: Mapping[str, Sequence[Predictions]], split: Split) -> None:
    (first, *others) = [(name, one) for name, system in found.items() for one in system]
    for name, one in others:
        if one.examples != first[1].examples or not np.array_equal(one.labels, first[1].labels):
            raise InputError(
                f"{name} and {first[0]} were scored on different {split} rows of {task} (expected the same)"
            )


def _build_tables(
    task: str, found: Mapping[str, Sequence[Predictions]], features: str, guessed: Floats
) -> Iterator[Compared]:
    """Yield a table for each measure, narrow enough for a terminal."""
    baseline = next(iter(found.values()))
    labels = baseline[0].task.labels
    is_pair = len(baseline[0].task.texts) == 2
    metric: MetricName = "pearson" if isinstance(labels, Scores) else "accuracy"
    alone = score_runs(metric, baseline[0].labels, guessed[None]).tolist()
    yield _show(task, Measure(metric, metric), found, {f"{features} alone": alone})
    if metric == "accuracy":
        wrong = guessed != baseline[0].labels
        name = f"accuracy where {features} alone is wrong, {counted(int(wrong.sum()), 'row')}"
        yield _show(task, Measure(name, metric, wrong), found)
    if is_pair and labels.num_classes <= 2:
        yield _show(task, Measure("AUC", "auroc"), found)
    if is_pair:
        yield from _show_bands(task, found)


def _show(
    task: str,
    measure: Measure,
    found: Mapping[str, Sequence[Predictions]],
    above: Mapping[str, list[float]] | None = None,
) -> Compared:
    (first, baseline), *others = found.items()
    scores = {name: measure.scores(runs) for name, runs in found.items()}
    differences = {name: measure.differ(runs, baseline) for name, runs in others}
    rows = [[name, "", format_spread(each), ""] for name, each in (above or {}).items()]
    for name, each in scores.items():
        rows.append([name, str(len(each)), format_spread(each), format_interval(differences.get(name))])
    table = Table(f"{task}: {measure.name}", ("", "runs", "score", "difference"), rows, note=NOTE.format(first=first))
    told = {name: asdict(each) for name, each in differences.items() if each is not None}
    return Compared(
        table, {"task": task, "measure": measure.name, "scores": {**(above or {}), **scores}, "differences": told}
    )


def _show_bands(task: str, found: Mapping[str, Sequence[Predictions]]) -> Iterator[Compared]:
    """Yield accuracy, or mean error, of each label by overlap, and the AUC inside each band; means over runs."""
    baseline = next(iter(found.values()))[0]
    bands, (names, groups) = find_bands(baseline.examples), group_labels(baseline)
    what = "mean of prediction minus label" if isinstance(baseline.task.labels, Scores) else "accuracy"
    for label, title in enumerate(names):
        chosen = {name: band & (groups == label) for name, band in bands.items()}
        means = {name: [_mean(runs, band) for band in chosen.values()] for name, runs in found.items()}
        yield _by_bands(task, f"{what} of {title} by shared words", chosen, means)
    if baseline.task.labels.num_classes <= 2:
        inside = [Measure("AUC", "auroc", band) for band in bands.values()]
        means = {name: [fmean(one.scores(runs)) for one in inside] for name, runs in found.items()}
        yield _by_bands(task, "AUC by shared words", bands, means)


def _by_bands(
    task: str, measure: str, chosen: Mapping[str, NDArray[np.bool_]], means: Mapping[str, Sequence[float]]
) -> Compared:
    """Return a table of the means of each system in each band, whose rows are chosen."""
    pairs = {name: int(band.sum()) for name, band in chosen.items()}
    rows = [["pairs", *(f"{count:,}" for count in pairs.values())]]
    rows += [[name, *map(_short, each)] for name, each in means.items()]
    table = Table(f"{task}: {measure}", ["", *chosen], rows, note="Means over the runs.")
    by_band = {name: dict(zip(chosen, each, strict=True)) for name, each in means.items()}
    return Compared(table, {"task": task, "measure": measure, "pairs": pairs, "means": by_band})


def _mean(runs: Sequence[Predictions], chosen: NDArray[np.bool_]) -> float:
    if not chosen.any():
        return float("nan")
    is_score = isinstance(runs[0].task.labels, Scores)
    values = [one.predictions - one.labels if is_score else one.is_right for one in runs]
    return fmean(float(each[chosen].mean()) for each in values)


def _short(value: float) -> str:
    """Return a number to three digits, without a leading 0."""
    return "" if np.isnan(value) else without_zero(f"{value:.3f}")
