"""Metrics that are undefined, such as the correlation of equal scores, where a trained model is checked."""

import math

import pytest
import torch

from inference.card import _number
from inference.int8_search import _as_plain
from inference.parity import DevSplit, compare
from tasks import Sts

LABELS = torch.tensor([0.0, 2.0, 5.0])
EQUAL, APART = torch.full((3,), 2.5), torch.tensor([1.0, 2.0, 4.0])
SPLIT = DevSplit([("a", "b")] * 3, LABELS, 3)


def test_a_metric_that_was_undefined_before_is_no_loss():
    parity = compare("sts", Sts(), SPLIT, EQUAL, EQUAL + 0.01)
    assert parity.loss == 0
    said = (
        "sts: pearson is undefined with the checkpoint's answers already, so no loss of it can be told, on 3 dev rows; "
    )
    assert parity.describe().startswith(said)
    assert _as_plain(parity) == {"metric": "pearson", "checkpoint": None, "int8": None, "rows": 3}
    assert _number(parity.checkpoint) == "undefined"


def test_a_metric_that_became_undefined_is_lost():
    parity = compare("sts", Sts(), SPLIT, APART, EQUAL)
    assert parity.loss == math.inf
    assert compare("sts", Sts(), SPLIT, APART, APART).loss == pytest.approx(0)
