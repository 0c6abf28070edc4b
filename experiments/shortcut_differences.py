"""Several trainings beside a model of shared words, and beside each other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from analysis.blocks import number
from analysis.overlap_bands import find_bands, group_labels
from analysis.resampling import score_runs
from analysis.run import Predictions, Run
from analysis.shortcut_model import guess
from analysis.shortcut_tables import MISSING
from analysis.table import Table
from analysis.weighted_counts import Floats
from experiments.cells import format_interval, format_spread
from experiments.statistics import PairedRuns, compare
from heads import Scores
from runtime.run_folders import list_runs
from tasks import InputError, Split
from tasks.metrics import MetricName

Systems = Mapping[str, Sequence[Run]]
NOTE = (
    "Means over the runs, with their standard deviation. Differences are to {first}, with a 95 % interval over rows "
    "and runs. The AUC is that of positive pairs above negative ones; a moved threshold does not change it."
)


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

    def differ(self, runs: Sequence[Predictions], others: Sequence[Predictions]) -> str:
        """Return by how much runs score better than others, with an interval."""
        labels, own = self._answers(runs)
        if not labels.size:
            return ""
        return format_interval(compare({"": PairedRuns(self.metric, labels, own, self._answers(others)[1])})[""])

    def _answers(self, runs: Sequence[Predictions]) -> tuple[Floats, Floats]:
        """Return labels and the predictions of each run as the metric takes them, (n,) and (K, n)."""
        chosen: NDArray[np.bool_] | slice = slice(None) if self.rows is None else self.rows
        if self.metric != "auroc":
            return runs[0].labels[chosen], np.stack([one.predictions for one in runs])[:, chosen]
        asked = [one.predictions if one.probabilities is None else one.probabilities[:, 1] for one in runs]
        return group_labels(runs[0])[1][chosen].astype(np.float64), np.stack(asked)[:, chosen]


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


def compare_shortcuts(systems: Systems, task: str | None, split: Split) -> Iterator[Table]:
    """Compare systems task by task, the others with the first.

    Args:
        systems: Runs by name.
        task: One task alone; None for each that all runs have.
        split: Which predictions.

    Raises:
        InputError: If there is no such task, or the runs were scored on different rows.
    """
    runs = [run for system in systems.values() for run in system]
    shared = [name for name in runs[0].tasks if all(_has_predictions(run, name, split) for run in runs)]
    if task is not None and task not in shared:
        raise InputError(f"--task {task}: expected one that every run has {split} predictions of: {', '.join(shared)}")
    if not shared:
        raise InputError(f"the runs have no {split} predictions of a common task")
    for name in shared if task is None else [task]:
        found = {each: [run.read_predictions(name, split) for run in system] for each, system in systems.items()}
        _check_rows(name, found, split)
        guessed = guess(next(iter(found.values()))[0], runs[0].read_examples(name, "train"))
        if guessed is None:
            yield Table(f"{name}: {MISSING}", ("",), [])
        else:
            yield from _build_tables(name, found, *guessed)


def _has_predictions(run: Run, task: str, split: Split) -> bool:
    return (run.folder / "predictions" / f"{task}-{split}.csv").is_file()


def _check_rows(task: str, found: Mapping[str, Sequence[Predictions]], split: Split) -> None:
    (first, *others) = [(name, one) for name, system in found.items() for one in system]
    for name, one in others:
        if one.examples != first[1].examples or not np.array_equal(one.labels, first[1].labels):
            raise InputError(
                f"{name} and {first[0]} were scored on different {split} rows of {task} (expected the same)"
            )


def _build_tables(
    task: str, found: Mapping[str, Sequence[Predictions]], features: str, guessed: Floats
) -> Iterator[Table]:
    (first, baseline), *others = found.items()
    is_score, is_pair = isinstance(baseline[0].task.labels, Scores), len(baseline[0].task.texts) == 2
    measures = [Measure("pearson" if is_score else "accuracy", "pearson" if is_score else "accuracy")]
    if not is_score:
        wrong = guessed != baseline[0].labels
        measures.append(Measure(f"accuracy where that is wrong ({int(wrong.sum()):,})", "accuracy", wrong))
    if is_pair and baseline[0].task.labels.num_classes <= 2:
        measures.append(Measure("AUC", "auroc"))
    alone = score_runs(measures[0].metric, baseline[0].labels, guessed[None])
    rows = [[measures[0].name, f"{features} alone", "", format_spread(alone.tolist()), ""]]
    for measure in measures:
        rows.append(["" if measure is measures[0] else measure.name, first, *_cells(measure, baseline), ""])
        rows += [["", name, *_cells(measure, runs), measure.differ(runs, baseline)] for name, runs in others]
    columns = ("", "", "runs", "score", "difference")
    yield Table(f"{task}: beside {features}", columns, rows, num_text_columns=2, note=NOTE.format(first=first))
    if is_pair:
        yield _show_bands(task, found)


def _cells(measure: Measure, runs: Sequence[Predictions]) -> tuple[str, str]:
    return str(len(runs)), format_spread(measure.scores(runs))


def _show_bands(task: str, found: Mapping[str, Sequence[Predictions]]) -> Table:
    """Return accuracy, or mean error, by overlap and label, and the AUC inside each band; means over runs."""
    baseline = next(iter(found.values()))[0]
    bands, (names, groups) = find_bands(baseline.examples), group_labels(baseline)
    is_score = isinstance(baseline.task.labels, Scores)
    rows = [["", "pairs", *(f"{int(band.sum()):,}" for band in bands.values())]]
    for name, runs in found.items():
        for label, title in enumerate(names):
            cells = [_mean(runs, band & (groups == label), is_score=is_score) for band in bands.values()]
            rows.append(["" if label else name, title, *cells])
        if baseline.task.labels.num_classes <= 2:
            ranked = [fmean(Measure("AUC", "auroc", band).scores(runs)) for band in bands.values()]
            rows.append(["", "AUC", *(number(None if np.isnan(value) else value, 3) for value in ranked)])
    what = "Mean of prediction minus label" if is_score else "Accuracy"
    note = f"{what}, and the AUC inside the band; means over the runs."
    return Table(f"{task}: shared words", ["", "label", *bands], rows, num_text_columns=2, note=note)


def _mean(runs: Sequence[Predictions], chosen: NDArray[np.bool_], *, is_score: bool) -> str:
    if not chosen.any():
        return ""
    values = [one.predictions - one.labels if is_score else one.is_right for one in runs]
    return number(fmean(float(each[chosen].mean()) for each in values), 3)
