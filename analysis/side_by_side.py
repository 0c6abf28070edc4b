"""Runs side by side, and two runs row by row."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.blocks import Block, ExampleList, Section, Sentence, ShownExample, number
from analysis.intervals import mcnemar
from analysis.mistakes import label_text
from analysis.run import Predictions, Run
from analysis.scores import score
from analysis.table import Table
from analysis.words import mark_shared
from heads import Scores
from tasks import InputError, Split

SHOWN = 12


@dataclass(frozen=True)
class Pairing:
    """Two runs' predictions of the same examples.

    Args:
        first: What one run predicted.
        second: What the other predicted, example by example the same.
    """

    first: Predictions
    second: Predictions

    @property
    def fixed(self) -> NDArray[np.int64]:
        """Rows that the first has wrong and the second right."""
        return np.flatnonzero(~self.first.is_right & self.second.is_right)

    @property
    def broken(self) -> NDArray[np.int64]:
        """Rows that the first has right and the second wrong."""
        return np.flatnonzero(self.first.is_right & ~self.second.is_right)

    @property
    def p_value(self) -> float:
        """Exact two-sided McNemar test: how likely so uneven a split into fixed and broken is by chance."""
        return mcnemar(self.first.is_right, self.second.is_right)


def pair_predictions(first: Predictions, second: Predictions) -> Pairing:
    """Pair two runs' predictions of the examples that both predicted.

    Raises:
        InputError: If an example differs between them, or they have none in common.
    """
    rows = {example.id: row for row, example in enumerate(second.examples)}
    kept = [row for row, example in enumerate(first.examples) if example.id in rows]
    matched = [rows[first.examples[row].id] for row in kept]
    for row, other in zip(kept, matched, strict=True):
        if first.examples[row] != second.examples[other]:
            raise InputError(f"example {first.examples[row].id} has other texts or another label in the other run")
    if not kept:
        raise InputError("the runs predicted no example in common")
    return Pairing(take(first, kept), take(second, matched))


def take(predictions: Predictions, rows: Sequence[int]) -> Predictions:
    """Return the predictions of some examples."""
    index = np.array(rows, dtype=np.int64)
    probabilities = predictions.probabilities
    return Predictions(
        task=predictions.task,
        examples=[predictions.examples[row] for row in rows],
        labels=predictions.labels[index],
        predictions=predictions.predictions[index],
        probabilities=None if probabilities is None else probabilities[index],
        split_size=predictions.split_size,
    )


def build_score_section(runs: Sequence[Run], split: Split) -> Section:
    """Return the scores of several runs side by side, from their prediction files."""
    scores = [_scores(run, split) for run in runs]
    names = list(dict.fromkeys(name for found in scores for name in found))
    rows = [[*name, *(found.get(name, "") for found in scores)] for name in names]
    note = "From the prediction files; the best of a row is not tested for significance."
    if any(" of " in cell for row in rows for cell in row[2:]):
        note += " n of N: the run predicted n examples of the split's N, so that its score does not compare."
    title = "Test scores" if split == "test" else "Scores"
    table = Table(title, ("task", "metric", *name_runs(runs)), rows, num_text_columns=2, note=note)
    return Section("Side by side", "side-by-side", [table, *map(Sentence, find_other_data(runs, split))])


def find_other_data(runs: Sequence[Run], split: Split) -> list[str]:
    """Say of each task which runs were scored on other files than the first run that has it."""
    said = []
    for task in dict.fromkeys(task for run in runs for task in run.report["data"]):
        named = zip(name_runs(runs), (run.report["data"].get(task, {}).get(split) for run in runs), strict=True)
        files = [(name, source) for name, source in named if source is not None]
        others = [f"{name}: {source['path']}" for name, source in files if source["sha256"] != files[0][1]["sha256"]]
        if others:
            said.append(f"{task}: not the same {split} examples ({'; '.join(others)}), these scores do not compare.")
    return said


def name_runs(runs: Sequence[Run]) -> list[str]:
    """Return a name for each run: `<configuration>/version_N`, or the folders where those are equal."""
    names = [run.name for run in runs]
    return names if len(set(names)) == len(names) else [str(run.folder) for run in runs]


def _scores(run: Run, split: Split) -> dict[tuple[str, str], str]:
    """Return the cells of a run, by task and metric."""
    found = {}
    for task in run.tasks:
        try:
            predictions = run.read_predictions(task, split, allow_partial=True)
        except InputError:
            continue  # the run's own section says why
        part = f" ({len(predictions.examples):,} of {predictions.split_size:,})" if predictions.is_partial else ""
        found.update({(task, metric): f"{number(value)}{part}" for metric, value in score(predictions).items()})
    return found


def build_comparison(first: Run, second: Run, split: Split) -> Section:
    """Compare two runs row by row: which examples the second fixed and which it broke."""
    sections = [
        Section(f"Task {task}", f"compare-{task}", _compare_task(first, second, task, split))
        for task in first.tasks
        if task in second.tasks
    ]
    if not sections:
        return Section("Row by row", "compare", [Sentence("The runs have no task in common.")])
    names = name_runs([first, second])
    opening = Sentence(f"From {names[0]} (first) to {names[1]} (second): what became right and what became wrong.")
    return Section("Row by row", "compare", [opening], sections)


def _compare_task(first: Run, second: Run, task: str, split: Split) -> list[Block]:
    try:
        pairing = pair_predictions(
            first.read_predictions(task, split, allow_partial=True),
            second.read_predictions(task, split, allow_partial=True),
        )
    except InputError as error:
        return [Sentence(f"Not compared: {error}.")]
    return [_summary(pairing), *_changed(pairing, pairing.fixed, "Fixed"), *_changed(pairing, pairing.broken, "Broken")]


def _summary(pairing: Pairing) -> Table:
    both = int((pairing.first.is_right & pairing.second.is_right).sum())
    count = len(pairing.first.examples)
    fixed, broken = len(pairing.fixed), len(pairing.broken)
    rows = [
        ["examples that both predicted", f"{count:,}"],
        ["right in both", f"{both:,}"],
        ["fixed: wrong, then right", f"{fixed:,}"],
        ["broken: right, then wrong", f"{broken:,}"],
        ["wrong in both", f"{count - both - fixed - broken:,}"],
        ["McNemar's exact p", f"{pairing.p_value:.4g}"],
    ]
    is_score = isinstance(pairing.first.task.labels, Scores)
    note = "p: the chance of so uneven a split into fixed and broken if neither run were better."
    if is_score:
        note = f"A score counts as right within a tenth of the range around the label. {note}"
    return Table("Changes", ("examples", "n"), rows, note=note)


def _changed(pairing: Pairing, rows: NDArray[np.int64], title: str) -> list[Block]:
    if not len(rows):
        return [Sentence(f"{title}: none.")]
    change = (
        np.abs(pairing.second.predictions[rows] - pairing.first.predictions[rows]).reshape(len(rows), -1).sum(axis=1)
    )
    shown = rows[np.argsort(-change, kind="stable")][:SHOWN]
    note = f"{len(shown)} of {len(rows):,}, the largest changes first."
    return [ExampleList(title, [_show(pairing, int(row)) for row in shown], note)]


def _show(pairing: Pairing, row: int) -> ShownExample:
    example = pairing.first.examples[row]
    facts = [
        ("label", label_text(pairing.first, pairing.first.labels[row])),
        ("first", label_text(pairing.first, pairing.first.predictions[row])),
        ("second", label_text(pairing.second, pairing.second.predictions[row])),
    ]
    return ShownExample(example.id, mark_shared(example.texts), facts)
