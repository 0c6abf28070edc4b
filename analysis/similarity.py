"""What a report shows of a task with scores: prediction against label, regression and residuals."""

import numpy as np

from analysis.blocks import Block, number, picture
from analysis.run import Predictions
from analysis.table import Table
from figures import draw_residuals, draw_scatter, fit_line
from heads import Scores


def show_similarity(predictions: Predictions, anchor: str) -> list[Block]:
    """Return the scatter with its regression line, and the residuals."""
    labels, predicted, space = predictions.labels, predictions.predictions, predictions.task.labels
    assert isinstance(space, Scores)  # the caller's branch
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
