"""Panels with more lines than there are colours."""

import pytest

from figures import Curve, draw_curves


@pytest.mark.parametrize(
    ("number", "named"), [(1, []), (6, [f"layer_{number}" for number in range(6)]), (14, ["layer_0", "layer_13"])]
)
def test_a_legend_has_room_in_its_panel(number: int, named: list[str]) -> None:
    lines = [Curve(f"layer_{line}", [1, 2], [0.0, float(line)]) for line in range(number)]
    figure = draw_curves([("learning rate", lines)])
    (axes,) = figure.axes
    assert len(axes.get_lines()) == number
    figure.draw_without_rendering()
    legend = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == named if named else legend is None
    if legend is not None:
        assert legend.get_window_extent().height <= axes.get_window_extent().height
