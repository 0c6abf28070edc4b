"""Tables of a run beside a shortcut model: on a terminal and in a report."""

from collections.abc import Iterator

from analysis.blocks import Block, Sentence, number, span
from analysis.overlap_bands import Estimate
from analysis.run import Predictions, Run
from analysis.shortcut_model import Shortcut, measure_shortcut
from analysis.table import Table
from tasks import InputError

MISSING = "shortcuts are not measured: labels are sets, or the train split has too few rows or one label alone"


def show_shortcut(run: Run, task: str, predictions: Predictions) -> list[Block]:
    """Return what a report shows of a task's shortcut; what is not available becomes a sentence."""
    try:
        shortcut = measure_shortcut(predictions, run.read_examples(task, "train"))
    except InputError as error:
        return [Sentence(f"Shortcuts are not measured: {error}.")]
    return [*build_tables(shortcut)] if shortcut else [Sentence(f"{MISSING.capitalize()}.")]


def build_tables(shortcut: Shortcut, *, title: str = "") -> list[Table]:
    """Return the run beside the shortcut and, for pairs, its scores by overlap and label.

    Args:
        shortcut: What was measured.
        title: What each title begins with.
    """
    tables = [_compare(shortcut, f"{title}What {shortcut.features} tells")]
    if shortcut.bands:
        tables.append(_show_bands(shortcut, f"{title}Word overlap and label"))
    return tables


def _compare(shortcut: Shortcut, title: str) -> Table:
    is_score = shortcut.metric == "pearson"
    without = "" if is_score else number(shortcut.constant)
    rows = [
        _row(f"{shortcut.metric} of {shortcut.features} alone", shortcut.score, without),
        _row(f"{shortcut.metric} of the run", shortcut.run, without),
        _row(f"{shortcut.metric} of the run above that", shortcut.above),
        _row(
            "correlation with the shortcut's scores" if is_score else "predictions equal to the shortcut's",
            shortcut.agreement,
            "" if is_score else number(shortcut.chance),
        ),
        _row(
            f"{'variance of the' if is_score else 'the'} run's predictions told by {shortcut.features}",
            shortcut.explained,
            "" if is_score else number(shortcut.most_frequent),
        ),
    ]
    if shortcut.auc is not None and shortcut.bands[0].auc is not None:
        rows.insert(3, _row(f"AUC of {shortcut.features} alone", shortcut.auc, "" if is_score else "0.5000"))
        rows.insert(4, _row("AUC of the run", shortcut.bands[0].auc, "" if is_score else "0.5000"))
    if shortcut.where_wrong is not None:
        rows.append(_row("accuracy of the run where the shortcut is wrong", shortcut.where_wrong))
    note = (
        f"A small model that knows {shortcut.features} alone learnt from {shortcut.train_rows:,} train rows (on them, "
        f"cross-validated, {shortcut.train_score:.3f}). Told: the same features learn the run's predictions instead of "
        "the labels, cross-validated."
    )
    if not is_score:
        note += " Without features: the most frequent label, chance agreement, the run's most frequent prediction."
    columns = ("", "value", "95 % interval", "without features", "n")
    return Table(title, columns, rows, note=note)


def _row(what: str, estimate: Estimate, without: str = "") -> list[str]:
    return [what, number(estimate.value), span(estimate.interval), without, f"{estimate.count:,}"]


def _show_bands(shortcut: Shortcut, title: str) -> Table:
    is_score = shortcut.metric == "pearson"
    rows = [row for band in _bands(shortcut) for row in band]
    note = "Mean error: prediction − label." if is_score else "Accuracy: with a Wilson interval."
    ranked = (
        " AUC: how often a pair with the upper label gets more than one with the lower label in the same band; 0.5 is "
        "chance. A model that counts words is wrong on negatives with much overlap and positives with little, and a "
        "moved threshold trades one for the other without changing the AUC."
    )
    if shortcut.bands[0].auc is not None:
        note += ranked
    columns = (
        "shared words",
        "label",
        "n",
        "mean error" if is_score else "accuracy",
        "95 % interval",
        "AUC",
        "95 % interval of the AUC",
    )
    return Table(title, columns, rows, num_text_columns=2, note=note)


def _bands(shortcut: Shortcut) -> Iterator[list[list[str]]]:
    for band in shortcut.bands:
        ranked = ("", "") if band.auc is None else (number(band.auc.value, 3), span(band.auc.interval))
        yield [
            [
                band.overlap if first else "",
                label,
                f"{found.count:,}",
                number(found.value, 3),
                span(found.interval),
                *(ranked if first else ("", "")),
            ]
            for first, (label, found) in ((not row, item) for row, item in enumerate(band.labels.items()))
        ]
