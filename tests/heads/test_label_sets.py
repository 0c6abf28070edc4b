"""Label sets: what follows from a set of labels, and a head's output for them."""

import math

import numpy as np
import pytest
import torch
from torch import tensor
from torch.nn import functional as F
from torch.testing import assert_close

from heads import ClassOutput, ConcatProductHead, CrossEntropy, FocalLoss, LabelSetOutput, LabelSets, LinearHead

SETS = LabelSets(3)
OUTPUT = SETS.usual_output()
LOGITS = tensor([[2.0, -1.0, 0.1], [-0.2, 3.0, -4.0]])
LABELS = tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])


def test_labels_of_examples_become_rows_of_zeros_and_ones():
    found = SETS.stack([(0, 2), (), None])
    assert np.array_equal(found, [[1, 0, 1], [0, 0, 0], [math.nan] * 3], equal_nan=True)
    assert SETS.as_tensor(found).dtype == torch.float32


def test_the_best_constant_has_the_labels_of_most_rows():
    values = SETS.stack([(0, 1), (0,), (0,), ()])
    assert SETS.best_constant(values).tolist() == [1, 0, 0]
    assert SETS.best_probabilities(values).tolist() == [0.75, 0.25, 0]
    assert SETS.count_classes(values).tolist() == [3, 1, 0]


def test_a_set_is_right_as_a_whole_and_as_likely_as_its_labels_together():
    predictions, values = SETS.stack([(0, 1), (0,)]), SETS.stack([(0, 1), (0, 2)])
    assert SETS.is_right(predictions, values).tolist() == [True, False]
    assert SETS.count_hits(predictions, values).tolist() == [2, 1, 0]
    shares = np.array([[0.9, 0.6, 0.2], [0.5, 0.1, 0.4]])
    assert SETS.confidence(predictions, shares) == pytest.approx([0.9 * 0.6 * 0.8, 0.5 * 0.9 * 0.6])


def test_labels_are_predicted_above_their_thresholds():
    tuned = LabelSets(3, (0.9, 0.5, 0.01))
    assert OUTPUT.predict(LOGITS).tolist() == [[1, 0, 1], [0, 1, 0]]
    assert tuned.usual_output().predict(LOGITS).tolist() == [[0, 0, 1], [0, 1, 1]]
    for labels in (SETS, tuned):
        assert_close(labels.decide(LOGITS.sigmoid()), labels.usual_output().predict(LOGITS))


def test_thresholds_are_no_part_of_what_the_numbers_mean():
    assert LabelSets(3, (0.9, 0.5, 0.01)).usual_output().meaning() == OUTPUT.meaning()
    assert OUTPUT.meaning()["num_values"] == 3


def test_the_loss_is_the_mean_binary_cross_entropy():
    assert_close(OUTPUT.loss(LOGITS, LABELS), F.binary_cross_entropy_with_logits(LOGITS, LABELS))


def test_the_average_of_outputs_has_the_mean_probabilities():
    outputs = torch.stack([LOGITS, -LOGITS, LOGITS * 2])
    assert_close(OUTPUT.probabilities(OUTPUT.average(outputs)), outputs.sigmoid().mean(dim=0))


def test_a_teacher_is_learnt_up_to_a_constant_as_binary_cross_entropy():
    target = tensor([[0.9, 0.2, 0.5], [0.3, 0.7, 0.1]])
    logits = LOGITS.clone().requires_grad_()
    (own,) = torch.autograd.grad(OUTPUT.soft_loss(logits, target, 1.0), logits)
    (expected,) = torch.autograd.grad(F.binary_cross_entropy_with_logits(logits, target), logits)
    assert_close(own, expected)
    assert float(OUTPUT.soft_loss(LOGITS, LOGITS.sigmoid(), 2.0)) == pytest.approx(0, abs=1e-6)


def test_equal_outputs_do_not_diverge():
    assert float(OUTPUT.divergence(LOGITS, LOGITS)) == 0
    assert float(OUTPUT.divergence(LOGITS, LOGITS + 1)) > 0


def test_a_set_makes_no_pair_positive():
    with pytest.raises(ValueError, match="makes no pair positive"):
        SETS.check_positive(None)


@pytest.mark.parametrize("head", [LinearHead, ConcatProductHead])
def test_heads_predict_sets(head):
    built = head(4, SETS).eval()
    output = built(torch.randn(5, built.num_sequences, 4, generator=torch.Generator().manual_seed(0)))
    labels = SETS.as_tensor(SETS.stack([(0,), (1, 2), (), (0, 1, 2), (2,)]))
    assert built.predict(output).shape == built.probabilities(output).shape == (5, 3)
    assert torch.isfinite(built.loss(output, labels))


@pytest.mark.parametrize("loss", [CrossEntropy(label_smoothing=0.2), FocalLoss(gamma=1.5)])
def test_its_losses_are_chosen_as_those_of_classes(loss):
    found, usual = loss.output(SETS), loss.output(SETS).meaning()
    assert isinstance(found, LabelSetOutput)
    assert usual["label_smoothing"] == getattr(loss, "label_smoothing", 0)
    assert usual["gamma"] == getattr(loss, "gamma", 0)
    assert not isinstance(found, ClassOutput)
