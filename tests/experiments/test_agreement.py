import math

import pytest

from experiments.agreement import compare_estimates
from experiments.statistics import Interval


def trained(*values: float, width: float = 0.02) -> list[Interval]:
    return [Interval(value, value - width, value + width) for value in values]


def test_a_matrix_that_is_a_line_of_the_estimate_has_no_error():
    found = compare_estimates([0.1, 0.2, -0.1, 0.4], trained(0.01, 0.03, -0.03, 0.07))
    assert (found.pairs, found.same_sign, found.clear, found.clear_same_sign) == (4, 4, 3, 3)
    assert found.rank_correlation == pytest.approx(1)
    assert found.error == pytest.approx(0, abs=1e-12)
    # their means without one of them: 0.07/3, 0.05/3, 0.11/3, 0.01/3
    expected = (abs(0.01 - 0.07 / 3) + abs(0.03 - 0.05 / 3) + abs(-0.03 - 0.11 / 3) + abs(0.07 - 0.01 / 3)) / 4
    assert found.error_of_mean == pytest.approx(expected)


def test_an_error_is_that_of_the_pair_that_the_line_has_not_seen():
    """Three pairs on y = x and one off it by 1: seen from outside, that one is off by 1, and it tilts the others."""
    x, y = [0.0, 1.0, 2.0, 3.0], trained(0.0, 1.0, 2.0, 4.0)
    # lines through the others: without 0: (1,1)(2,2)(3,4): -2/3 at 0; without 1: (0,0)(2,2)(3,4): 17/14 at 1 ...
    expected = []
    for out in range(4):
        kept = [place for place in range(4) if place != out]
        mean_x, mean_y = sum(x[k] for k in kept) / 3, sum(y[k].estimate for k in kept) / 3
        slope = sum((x[k] - mean_x) * (y[k].estimate - mean_y) for k in kept) / sum((x[k] - mean_x) ** 2 for k in kept)
        expected.append(abs(mean_y + slope * (x[out] - mean_x) - y[out].estimate))
    assert expected[0] == pytest.approx(2 / 3)
    assert expected[3] == pytest.approx(1)
    assert compare_estimates(x, y).error == pytest.approx(sum(expected) / 4)


def test_signs_and_ranks_of_opposite_matrices():
    found = compare_estimates([0.1, 0.2, -0.1, 0.4], trained(-0.1, -0.2, 0.1, -0.4))
    assert (found.same_sign, found.clear, found.clear_same_sign) == (0, 4, 0)
    assert found.rank_correlation == pytest.approx(-1)


def test_few_pairs_have_signs_only():
    found = compare_estimates([0.1, 0.2], trained(0.1, 0.2))
    assert math.isnan(found.error)
    assert math.isnan(found.rank_correlation)
    assert found.sentence().startswith(
        "Estimate and training: 2 of 2 signs agree, and 2 of the 2 whose trained interval"
    )
    assert found.sentence().endswith("too few pairs for more.")
