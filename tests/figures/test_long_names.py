"""Names that are longer than a figure is wide."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from figures import Curve, Interleaving, count_confusions, draw_balance, draw_confusion, draw_curves, draw_interleaving

LONG = ["x" * 200, "x" * 199 + "y"]


def interleaving(names: list[str]) -> Figure:
    return draw_interleaving([Interleaving("t" * 200, names, np.array([0, 1, 1, 0]), 4)])


def curves(names: list[str]) -> Figure:
    return draw_curves([("dev metric", [Curve(name, [1, 2], [0.0, 1.0]) for name in names])])


def balance(names: list[str]) -> Figure:
    return draw_balance({"train": np.array([0.5, 0.5])}, names)


def confusion(names: list[str]) -> Figure:
    return draw_confusion(count_confusions(np.array([0, 1, 1]), np.array([0, 0, 1]), 2), names)


@pytest.mark.parametrize("draw", [interleaving, curves, balance, confusion])
def test_long_names_leave_the_drawing_its_room(draw):
    figure = draw(LONG)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    assert axes.get_window_extent().width > 0.4 * figure.bbox.width
    assert axes.get_window_extent().height > 0.4 * figure.bbox.height
    box, legend = axes.get_tightbbox(), axes.get_legend()
    assert -1 <= box.x0 <= box.x1 <= figure.bbox.width + 1
    shown = [*axes.get_yticklabels(), *axes.get_xticklabels(), *(legend.get_texts() if legend else [])]
    names = {text.get_text() for text in shown if "x" in text.get_text()}
    assert len(names) == 2  # told apart
    assert max(map(len, names)) <= 32
