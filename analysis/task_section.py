"""The section of a report on one task of one run."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.blocks import Block, ExampleList, Section, Sentence, Table, number, picture, span
from analysis.curves import task_panels
from analysis.intervals import bootstrap_pearson, wilson_interval
from analysis.mistakes import most_confident_mistakes
from analysis.run import Predictions, Run
from analysis.scores import score
from analysis.slices import NeighbourErrors, count_neighbour_errors, slice_scores
from figures import (
    Curve,
    bin_confidence,
    count_confusions,
    draw_balance,
    draw_confusion,
    draw_curves,
    draw_reliability,
    draw_residuals,
    draw_scatter,
    fit_line,
)
from figures.reliability import NUM_BINS
from tasks import InputError, Split

SCORE_RANGES = 5


def build_task_section(run: Run, task: str, split: Split, *, anchor: str, curves: Mapping[str, Curve]) -> Section:
    """Give the section of a task; what cannot be had is a sentence in it.

    Args:
        run: The run.
        task: Name of the task.
        split: The split whose predictions are looked at.
        anchor: The section's place in links.
        curves: The run's curves by tag.
    """
    try:
        predictions = run.read_predictions(task, split, allow_partial=True)
    except InputError as error:
        blocks: list[Block] = [Sentence(f"No predictions to look at: {error}."), *_score_table(run, task, split, None)]
        return Section(f"Task {task}", anchor, [*blocks, *_curves(curves, task, anchor)])
    blocks = [Sentence(_describe(predictions, split)), *_score_table(run, task, split, predictions)]
    if predictions.task.labels.kind == "score":
        blocks += _similarity(predictions, anchor)
    else:
        blocks += [*_confusion(predictions, anchor), *_calibration(predictions, anchor)]
    blocks += _curves(curves, task, anchor)
    blocks += [_slice_table(predictions), *_mistakes(predictions), *_balance(run, task, split, predictions, anchor)]
    return Section(f"Task {task}", anchor, blocks)


def reported_split(run: Run) -> Split:
    """Give the split whose scores `report.json` holds."""
    splits = {split for files in run.report["data"].values() for split in files}
    return "dev" if "dev" in splits else "test"


def _describe(predictions: Predictions, split: Split) -> str:
    count = len(predictions.examples)
    if predictions.is_partial:
        return (
            f"Only {count:,} of the {predictions.split_size:,} examples of the {split} split were predicted (the run "
            "had a limit on evaluation batches); everything below is about these."
        )
    return f"All {count:,} examples of the {split} split."


def _score_table(run: Run, task: str, split: Split, predictions: Predictions | None) -> list[Block]:
    is_reported = reported_split(run) == split
    reported = run.report.get("metrics", {}).get(task, {}) if is_reported else {}
    baseline = run.report.get("baseline", {}).get(task, {}) if is_reported else {}
    scores = score(predictions) if predictions is not None else {}
    names = [*scores, *(name for name in reported if name not in scores)]
    rows = []
    for name in names:
        interval = _score_interval(predictions, name) if predictions is not None else None
        constant = number(baseline[name]) if name in baseline else ""
        rows.append(
            [
                name,
                number(scores[name]) if name in scores else "",
                span(interval),
                number(reported[name]) if name in reported else "",
                constant,
            ]
        )
    if not rows:
        return []
    note = "Score: from the prediction file. Reported: by the run itself. Majority baseline: one prediction for all."
    return [Table("Scores", ("metric", "score", "95 % interval", "reported", "majority baseline"), rows, note=note)]


def _score_interval(predictions: Predictions, metric: str) -> tuple[float, float] | None:
    if metric == "accuracy":
        return wilson_interval(int(predictions.is_right.sum()), len(predictions.examples))
    if metric == "pearson":
        return bootstrap_pearson(predictions.labels, predictions.predictions)
    return None


def _class_names(predictions: Predictions) -> list[str]:
    return [predictions.task.format_label(number_) for number_ in range(predictions.task.labels.num_classes)]


def _confusion(predictions: Predictions, anchor: str) -> list[Block]:
    names = _class_names(predictions)
    counts = count_confusions(predictions.labels, predictions.predictions, len(names))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    label = "Confusion matrix. " + "; ".join(
        f"true {name}: " + ", ".join(f"{share:.0%} predicted {other}" for other, share in zip(names, row, strict=True))
        for name, row in zip(names[:12], shares, strict=False)
    )
    note = "Each row is a true class and adds up to 100 %; the count of examples stands below the share."
    figure = draw_confusion(counts, names)
    blocks: list[Block] = [
        picture(figure, title="Confusion matrix", name=f"{anchor}-confusion", label=label, note=note)
    ]
    neighbours = count_neighbour_errors(predictions)
    return blocks if neighbours is None else [*blocks, _neighbour_table(neighbours)]


def _neighbour_table(found: NeighbourErrors) -> Table:
    rows = [["at most one class away", *_share(found.within_one, found.count)]]
    if found.mistakes:
        rows.append(["of the mistakes, exactly one class away", *_share(found.adjacent, found.mistakes)])
    note = "For classes in order, such as five levels of sentiment."
    return Table("Near misses", ("predictions", "n", "share", "95 % interval"), rows, note=note)


def _share(hits: int, count: int) -> list[str]:
    return [f"{count:,}", number(hits / count, 3), span(wilson_interval(hits, count))]


def _calibration(predictions: Predictions, anchor: str) -> list[Block]:
    confidence = predictions.confidence
    if confidence is None:
        return [Sentence("No probabilities were saved, so there is no calibration.")]
    reliability = bin_confidence(confidence, predictions.is_right)
    error = reliability.expected_error
    note = (
        f"Expected calibration error {error:.4f} over {NUM_BINS} bins of equal width, of the probability of the "
        "predicted class. Bars: share of right predictions; line: at the mean confidence of the bin; dotted: perfect."
    )
    label = f"Reliability diagram; expected calibration error {error:.4f}, mean confidence {confidence.mean():.3f}, "
    label += f"accuracy {predictions.is_right.mean():.3f}"
    figure = draw_reliability(reliability)
    return [picture(figure, title="Calibration", name=f"{anchor}-calibration", label=label, note=note)]


def _similarity(predictions: Predictions, anchor: str) -> list[Block]:
    labels, predicted, space = predictions.labels, predictions.predictions, predictions.task.labels
    line = fit_line(labels, predicted)
    residuals = predicted - labels
    said = f"slope {line.slope:.3f}, intercept {line.intercept:.3f}" if line else "none, as all labels are equal"
    rows = [
        ["slope", number(line.slope if line else None, 3)],
        ["intercept", number(line.intercept if line else None, 3)],
        ["mean of prediction − label", number(float(residuals.mean()), 3)],
        ["mean absolute difference", number(float(np.abs(residuals).mean()), 3)],
        ["standard deviation of the difference", number(float(residuals.std()), 3)],
    ]
    scatter = draw_scatter(labels, predicted, low=space.low, high=space.high)
    spread = draw_residuals(labels, predicted, low=space.low, high=space.high)
    summary = f"mean {residuals.mean():.3f}, standard deviation {residuals.std():.3f} label units"
    return [
        picture(
            scatter,
            title="Prediction against label",
            name=f"{anchor}-scatter",
            label=f"Predicted against true score, {len(labels)} examples; regression line: {said}",
            note=f"Regression line: {said}. Dotted: perfect.",
        ),
        picture(spread, title="Residuals", name=f"{anchor}-residuals", label=f"Prediction minus label: {summary}"),
        Table("Regression of prediction on label", ("value", "label units"), rows),
    ]


def _curves(curves: Mapping[str, Curve], task: str, anchor: str) -> list[Block]:
    panels = task_panels(curves, task)
    if not panels:
        return []
    label = "Learning curves over optimiser steps. " + "; ".join(
        f"{title} {curve.name}: {curve.values[0]:.3f} at step {curve.steps[0]}, {curve.values[-1]:.3f} at the end"
        for title, lines in panels
        for curve in lines
    )
    return [picture(draw_curves(panels), title="Learning curves", name=f"{anchor}-curves", label=label)]


def _slice_table(predictions: Predictions) -> Table:
    is_score = predictions.task.labels.kind == "score"
    rows = [
        [
            one.grouping,
            one.name,
            f"{one.count:,}",
            number(one.score, 3),
            span(one.interval),
            "" if one.reference is None else number(one.reference, 3),
        ]
        for one in slice_scores(predictions)
    ]
    reference = "mean difference" if is_score else "largest class"
    note = (
        "Score: Pearson's correlation inside the slice, with a bootstrap interval; it shrinks where the labels vary "
        "less. Mean difference: prediction − label."
        if is_score
        else "Score: accuracy, with a Wilson interval. Largest class: what predicting it alone would score there."
    )
    columns = ("by", "slice", "n", "score", "95 % interval", reference)
    return Table("Error slices", columns, rows, num_text_columns=2, note=note)


def _mistakes(predictions: Predictions) -> list[Block]:
    examples = most_confident_mistakes(predictions)
    if not examples:
        return [Sentence("There is no mistake.")]
    is_score = predictions.task.labels.kind == "score"
    title = "Furthest from the label" if is_score else "Most confident mistakes"
    note = "Words that both texts share are marked." if len(predictions.task.texts) == 2 else ""
    return [ExampleList(title, examples, note)]


def _balance(run: Run, task: str, split: Split, predictions: Predictions, anchor: str) -> list[Block]:
    counted: dict[str, NDArray[Any]] = {split: predictions.labels, "predicted": predictions.predictions}
    blocks: list[Block] = []
    try:
        train = [example.label for example in run.read_examples(task, "train")]
        counted = {"train": np.array(train, dtype=np.float64), **counted}
    except InputError as error:
        blocks.append(Sentence(f"The train split is not shown: {error}."))
    names, numbers = _label_ranges(predictions, counted)
    shares = {what: np.bincount(values, minlength=len(names)) / max(len(values), 1) for what, values in numbers.items()}
    rows = [[name, *(f"{values[row]:.1%}" for values in shares.values())] for row, name in enumerate(names)]
    title = "Class balance" if predictions.task.labels.kind != "score" else "Balance of scores"
    label = f"{title}: " + "; ".join(f"{row[0]}: " + ", ".join(row[1:]) for row in rows[:12])
    figure = draw_balance(shares, names)
    return [
        picture(figure, title=title, name=f"{anchor}-balance", label=label),
        Table(f"{title} in numbers", ("label", *shares), rows),
        *blocks,
    ]


def _label_ranges(
    predictions: Predictions, counted: Mapping[str, NDArray[Any]]
) -> tuple[list[str], dict[str, NDArray[np.int64]]]:
    """Give the classes, or ranges of a score, and the number of each value's."""
    space = predictions.task.labels
    if space.kind != "score":
        return _class_names(predictions), {what: values.astype(np.int64) for what, values in counted.items()}
    ends = np.linspace(space.low, space.high, SCORE_RANGES + 1)
    names = [f"{low:g} to {high:g}" for low, high in pairwise(ends)]
    return names, {what: np.digitize(values, ends[1:-1]).astype(np.int64) for what, values in counted.items()}
