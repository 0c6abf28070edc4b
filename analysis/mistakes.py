"""The predictions of a run that are most wrong."""

import numpy as np

from analysis.blocks import ShownExample
from analysis.run import Predictions
from analysis.words import mark_shared
from heads import Scores

SHOWN = 15


def most_confident_mistakes(predictions: Predictions, *, most: int = SHOWN) -> list[ShownExample]:
    """Return the wrong predictions of the highest probability; of scores, those furthest from the label.

    Args:
        predictions: What a run predicted.
        most: How many to give at the most.
    """
    if isinstance(predictions.task.labels, Scores):
        weight = np.abs(predictions.predictions - predictions.labels)
        is_wrong = weight > 0
    else:
        confidence = predictions.confidence
        is_wrong = ~predictions.is_right
        weight = np.ones(len(is_wrong)) if confidence is None else confidence
    order = np.argsort(-weight, kind="stable")
    return [show_example(predictions, int(row)) for row in order[is_wrong[order]][:most]]


def show_example(predictions: Predictions, row: int) -> ShownExample:
    """Return an example with its label, its prediction and how sure the prediction was."""
    example = predictions.examples[row]
    facts = [
        ("label", label_text(predictions, predictions.labels[row])),
        ("predicted", label_text(predictions, predictions.predictions[row])),
    ]
    if predictions.confidence is not None:
        facts.append(("probability", f"{predictions.confidence[row]:.3f}"))
    return ShownExample(example.id, mark_shared(example.texts), facts)


def label_text(predictions: Predictions, label: float) -> str:
    """Write a label: a class by its name, a score with two decimals."""
    return f"{label:.2f}" if isinstance(predictions.task.labels, Scores) else predictions.task.format_label(label)
