import numpy as np
import pytest

from figures import fit_line


def test_the_line_is_that_of_least_squares():
    rng = np.random.default_rng(0)
    labels = rng.uniform(0, 5, 50)
    predictions = labels * 0.7 + rng.normal(1, 0.3, 50)
    expected, line = np.polyfit(labels, predictions, 1), fit_line(labels, predictions)
    assert line is not None
    assert (line.slope, line.intercept) == pytest.approx(tuple(expected))


def test_equal_labels_have_no_line():
    assert fit_line(np.ones(4), np.arange(4.0)) is None
    assert fit_line(np.ones(1), np.ones(1)) is None
