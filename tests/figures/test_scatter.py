import numpy as np
import pytest
from scipy.stats import linregress

from figures import fit_line


def test_the_line_is_that_of_scipy():
    rng = np.random.default_rng(0)
    labels = rng.uniform(0, 5, 50)
    predictions = labels * 0.7 + rng.normal(1, 0.3, 50)
    expected, line = linregress(labels, predictions), fit_line(labels, predictions)
    assert line is not None
    assert (line.slope, line.intercept) == pytest.approx((expected.slope, expected.intercept))


def test_equal_labels_have_no_line():
    assert fit_line(np.ones(4), np.arange(4.0)) is None
