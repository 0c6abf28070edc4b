"""Scores that were predicted outside the range of the labels are seen."""

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from figures import draw_residuals, draw_scatter, to_svg

LABELS = np.array([0.0, 1.0, 5.0, 3.0])
PREDICTED = np.array([-7.0, 1.5, 12.0, 3.0])


def test_every_residual_is_in_the_histogram() -> None:
    _, lower = draw_residuals(LABELS, PREDICTED, low=0, high=5).axes
    bars = [patch for patch in lower.patches if isinstance(patch, Rectangle)]
    assert sum(bar.get_height() for bar in bars) == len(LABELS)
    left, right = lower.get_xlim()
    assert left <= -7
    assert right >= 7


def test_every_point_is_in_the_scatter() -> None:
    (axes,) = draw_scatter(LABELS, PREDICTED, low=0, high=5).axes
    bottom, top = axes.get_ylim()
    assert bottom < -7
    assert top > 12
    assert axes.get_xlim() == pytest.approx((-0.15, 5.15))


def test_predictions_within_the_range_have_the_range() -> None:
    (axes,) = draw_scatter(LABELS, LABELS / 2, low=0, high=5).axes
    assert axes.get_ylim() == axes.get_xlim() == pytest.approx((-0.15, 5.15))


@pytest.mark.parametrize("number", [1, 4000])
def test_one_point_and_many_equal_ones_are_drawn(number: int) -> None:
    same = np.full(number, 2.0)
    for draw in (draw_scatter, draw_residuals):
        assert to_svg(draw(same, same, low=0, high=5), name="x", label="x").startswith("<svg")


def test_predictions_that_are_no_numbers_leave_the_others_drawn() -> None:
    predicted = np.array([np.nan, 1.5, np.inf, 3.0])
    (axes,) = draw_scatter(LABELS, predicted, low=0, high=5).axes
    assert axes.get_ylim() == pytest.approx((-0.15, 5.15))
    _, lower = draw_residuals(LABELS, predicted, low=0, high=5).axes
    assert sum(bar.get_height() for bar in lower.patches if isinstance(bar, Rectangle)) == 2
