"""What a report shows of a task with classes: confusions, near misses and calibration."""

import numpy as np

from analysis.blocks import Block, Sentence, number, picture, span
from analysis.intervals import wilson_interval
from analysis.run import Predictions
from analysis.slices import NeighbourErrors, class_names, count_neighbour_errors
from analysis.table import Table
from figures import bin_confidence, count_confusions, draw_confusion, draw_reliability
from figures.reliability import NUM_BINS


def show_confusion(predictions: Predictions, anchor: str) -> list[Block]:
    """Return the confusion matrix, and the near misses where the classes have an order."""
    names = class_names(predictions.task)
    counts = count_confusions(predictions.labels, predictions.predictions, len(names))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    label = "Confusion matrix. " + "; ".join(
        f"true {name}: " + ", ".join(f"{share:.0%} predicted {other}" for other, share in zip(names, row, strict=True))
        for name, row in zip(names[:12], shares, strict=False)
    )
    note = "Each row is a true class and adds up to 100 %; the number of examples is below the share."
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
