"""Numbers in tables are those that were computed."""

import math

import pytest

from experiments.cells import format_interval, format_score, format_spread, without_zero
from experiments.statistics import Interval


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.25, ".2500"), (-0.25, "-.2500"), (10.25, "10.2500"), (-20.5, "-20.5000"), (100.0, "100.0000"), (0.0, ".0000")],
)
def test_a_score_of_ten_and_more_keeps_its_digits(value, shown):
    """R2 has no lower end."""
    assert format_score(value) == shown


def test_so_do_a_spread_and_a_difference():
    assert format_spread([-10.0, -10.5]) == "-10.2500 ± .3536"
    assert format_interval(Interval(10.5, 0.25, 20.75)) == "+10.500 [+.250, +20.750]"
    assert without_zero("-10.204") == "-10.204"
    assert without_zero("-0.204") == "-.204"
    assert math.isclose(float(without_zero("110.500")), 110.5)
