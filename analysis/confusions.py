"""What a report shows of a task with classes: confusions, near misses and calibration."""

from collections.abc import Sequence

import numpy as np

from analysis.blocks import Block, Sentence, number, picture, span
from analysis.intervals import wilson_interval
from analysis.run import Predictions
from analysis.slices import NeighbourErrors, count_neighbour_errors
from analysis.table import Table
from figures import bin_confidence, count_confusions, draw_confusion, draw_reliability, most_frequent_confusions
from figures.confusion import LABELLED_CELLS
from figures.reliability import NUM_BINS

SHOWN_CONFUSIONS = 20


def show_confusion(predictions: Predictions, anchor: str) -> list[Block]:
    """Return the confusion matrix; of many classes also a table, and near misses where the classes have an order."""
    names = predictions.task.class_names
    confusions = count_confusions(predictions.labels, predictions.predictions, len(names))
    shown = [names[number] for number in confusions.classes]
    label = "Confusion matrix. " + "; ".join(
        f"true {name}: " + ", ".join(f"{share:.0%} predicted {other}" for other, share in zip(shown, row, strict=True))
        for name, row in zip(shown[:12], confusions.shares, strict=False)
    )
    note = (
        f"The {len(shown)} of {len(names):,} classes that take part in most mistakes, as label or as prediction. Each "
        "row is a true class; the shares are of all its examples, the rest was predicted as a class not shown."
        if confusions.is_part
        else "Each row is a true class and adds up to 100 %; the number of examples is below the share."
    )
    figure = draw_confusion(confusions, names)
    blocks: list[Block] = [
        picture(figure, title="Confusion matrix", name=f"{anchor}-confusion", label=label, note=note)
    ]
    if len(shown) > LABELLED_CELLS:
        blocks.append(_confusion_table(predictions, names))
    neighbours = count_neighbour_errors(predictions)
    return blocks if neighbours is None else [*blocks, _neighbour_table(neighbours)]


def _confusion_table(predictions: Predictions, names: Sequence[str]) -> Table:
    found = most_frequent_confusions(predictions.labels, predictions.predictions, SHOWN_CONFUSIONS)
    totals = np.bincount(predictions.labels.astype(np.int64), minlength=len(names))
    rows = [
        [names[label], names[predicted], f"{count:,}", number(count / totals[label], 3)]
        for (label, predicted), count in found
    ]
    columns = ("label", "predicted", "n", "share of the label's examples")
    return Table("Most frequent confusions", columns, rows, num_text_columns=2)


def _neighbour_table(found: NeighbourErrors) -> Table:
    rows = [["at most one class away", *_share(found.within_one, found.count)]]
    if found.mistakes:
        rows.append(["of the mistakes, exactly one class away", *_share(found.adjacent, found.mistakes)])
    note = "For classes in order, such as five levels of sentiment."
    return Table("Near misses", ("predictions", "n", "share", "95 % interval"), rows, note=note)


def _share(hits: int, count: int) -> list[str]:
    return [f"{count:,}", number(hits / count, 3), span(wilson_interval(hits, count))]


def show_calibration(predictions: Predictions, anchor: str) -> list[Block]:
    """Return the reliability diagram with the expected calibration error."""
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
