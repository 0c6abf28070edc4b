"""The section of a report on one task of one run."""

from collections.abc import Mapping

from analysis.balance import show_balance
from analysis.blocks import Block, ExampleList, Section, Sentence, number, picture, span
from analysis.confusions import show_calibration, show_confusion
from analysis.curves import task_panels
from analysis.intervals import bootstrap_pearson, wilson_interval
from analysis.mistakes import most_confident_mistakes
from analysis.run import Predictions, Run
from analysis.scores import score
from analysis.shortcut_tables import show_shortcut
from analysis.similarity import show_similarity
from analysis.slices import slice_scores
from analysis.table import Table
from figures import MOST_CLASSES, Curve, draw_curves
from heads import Scores
from tasks import InputError, Split
from tasks.class_scores import score_classes


def build_task_section(run: Run, task: str, split: Split, *, anchor: str, curves: Mapping[str, Curve]) -> Section:
    """Return the section of a task; what is not available becomes a sentence.

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
    blocks += _class_table(predictions)
    if isinstance(predictions.task.labels, Scores):
        blocks += show_similarity(predictions, anchor)
    else:
        blocks += [] if predictions.task.labels.is_set else show_confusion(predictions, anchor)
        blocks += show_calibration(predictions, anchor)
    blocks += _curves(curves, task, anchor)
    blocks += [_slice_table(predictions), *show_shortcut(run, task, predictions)]
    blocks += [*_mistakes(predictions), *show_balance(run, task, split, predictions, anchor)]
    return Section(f"Task {task}", anchor, blocks)


def _describe(predictions: Predictions, split: Split) -> str:
    count = len(predictions.examples)
    if predictions.is_partial:
        return (
            f"Only {count:,} of the {predictions.split_size:,} examples of the {split} split were predicted (the run "
            "had a limit on evaluation batches); everything below, also which texts recur, is about these."
        )
    return f"All {count:,} examples of the {split} split."


def _score_table(run: Run, task: str, split: Split, predictions: Predictions | None) -> list[Block]:
    is_reported = run.scored_split == split
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


def _class_table(predictions: Predictions) -> list[Block]:
    """Return how well each class is found; nothing for scores."""
    task = predictions.task
    scores = score_classes(task.labels, predictions.predictions, predictions.labels)
    rows = []
    for name, one in zip(task.class_names, scores, strict=True):
        shares = [number(share, 3) for share in (one.precision, one.recall, one.f1)]
        rows.append([name, *shares, f"{one.rows:,}", f"{one.predicted:,}"])
    note = "Precision: of what is predicted as the class. Recall: of the examples that are of the class."
    columns = ("class", "precision", "recall", "F1", "examples", "predicted")
    return [Table("Classes", columns, rows, note=note)] if rows else []


def _score_interval(predictions: Predictions, metric: str) -> tuple[float, float] | None:
    if metric == "accuracy":
        return wilson_interval(int(predictions.is_right.sum()), len(predictions.examples))
    if metric == "pearson":
        return bootstrap_pearson(predictions.labels, predictions.predictions)
    return None


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
    is_score = isinstance(predictions.task.labels, Scores)
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
        else "Score: accuracy (of whole sets), with a Wilson interval. Largest class: what predicting it alone would "
        "score there."
    )
    num_classes = predictions.task.labels.num_classes
    if num_classes > MOST_CLASSES and not predictions.task.labels.is_set:
        note += f" Of the {num_classes:,} labels, the {MOST_CLASSES} with the most mistakes."
    columns = ("by", "slice", "n", "score", "95 % interval", reference)
    return Table("Error slices", columns, rows, num_text_columns=2, note=note)


def _mistakes(predictions: Predictions) -> list[Block]:
    examples = most_confident_mistakes(predictions)
    if not examples:
        return [Sentence("No mistakes.")]
    is_score = isinstance(predictions.task.labels, Scores)
    title = "Furthest from the label" if is_score else "Most confident mistakes"
    note = "Words that both texts share are marked." if len(predictions.task.texts) == 2 else ""
    return [ExampleList(title, examples, note)]
