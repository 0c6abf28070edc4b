"""Weights of labels, label smoothing and the focal loss, against PyTorch and by hand."""

import math

import pytest
import torch
from torch import nn, tensor
from torch.nn import functional as F
from torch.testing import assert_close

from heads import (
    AbsoluteError,
    Classes,
    ConcatProductHead,
    ContinuationRatio,
    CrossEntropy,
    FocalLoss,
    LabelSets,
    LinearHead,
    OneVsAll,
    OrdinalLogLoss,
    Scores,
    YesNo,
)
from heads.losses import output_for

GENERATOR = torch.Generator().manual_seed(0)
LOGITS, LABELS = torch.randn(8, 4, generator=GENERATOR), tensor([0, 3, 1, 1, 2, 0, 3, 3])
WEIGHTS = torch.rand(8, generator=GENERATOR) * 3
KINDS = [
    (Classes(4), None),
    (Classes(4), CrossEntropy(label_smoothing=0.1)),
    (Classes(4), FocalLoss(gamma=2)),
    (Classes(4), OneVsAll()),
    (Classes(4), OrdinalLogLoss()),
    (Classes(4), ContinuationRatio()),
    (YesNo(), None),
    (YesNo(), FocalLoss(gamma=0.5)),
    (YesNo(), AbsoluteError()),
    (LabelSets(4), None),
    (LabelSets(4), FocalLoss()),
]


def example(labels, loss):
    output = output_for(labels, loss)
    logits = LOGITS[:, 0] if output.num_values == 1 else LOGITS[:, : output.num_values]
    target = LABELS if isinstance(labels, Classes) else LABELS % 2
    return output, logits, (torch.eye(4)[LABELS] if labels.is_set else target)


@pytest.mark.parametrize(("labels", "loss"), KINDS)
def test_a_weight_counts_as_so_many_rows(labels, loss):
    """The mean of weighted rows is the mean of each row's own loss times its weight."""
    output, logits, target = example(labels, loss)
    each = torch.stack([output.loss(logits[row : row + 1], target[row : row + 1]) for row in range(8)])
    weights = WEIGHTS[:, None].expand(8, 4) if labels.is_set else WEIGHTS
    assert_close(output.loss(logits, target, weights), (each * WEIGHTS).mean())
    assert_close(output.loss(logits, target, torch.ones_like(weights)), output.loss(logits, target))


@pytest.mark.parametrize(("labels", "loss"), KINDS)
def test_parts_of_a_batch_add_up_to_it(labels, loss):
    output, logits, target = example(labels, loss)
    weights = WEIGHTS[:, None].expand(8, 4) if labels.is_set else WEIGHTS
    parts = [output.loss(logits[part], target[part], weights[part]) for part in (slice(0, 2), slice(2, 8))]
    assert_close(output.loss(logits, target, weights), (2 * parts[0] + 6 * parts[1]) / 8)


def test_label_smoothing_is_that_of_pytorch():
    smoothed = CrossEntropy(label_smoothing=0.1)
    output, logits, target = example(Classes(4), smoothed)
    assert_close(output.loss(logits, target), F.cross_entropy(logits, target, label_smoothing=0.1))
    binary, logit, answer = example(YesNo(), smoothed)
    two = torch.stack([torch.zeros_like(logit), logit], dim=1)
    assert_close(binary.loss(logit, answer), F.cross_entropy(two, answer, label_smoothing=0.1))


def test_focal_loss_by_hand():
    """p of the label 0.8: -(0.2)^2 ln 0.8."""
    logit = tensor([math.log(4.0)])
    assert float(output_for(YesNo(), FocalLoss(gamma=2)).loss(logit, tensor([1]))) == pytest.approx(
        -(0.2**2) * math.log(0.8), rel=1e-5
    )
    three = tensor([[0.8, 0.15, 0.05]]).log()
    assert float(output_for(Classes(3), FocalLoss(gamma=2)).loss(three, tensor([0]))) == pytest.approx(
        -(0.2**2) * math.log(0.8), rel=1e-5
    )


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
def test_focal_loss_has_finite_gradients_where_an_example_is_learnt(gamma):
    for labels, logits, target in (
        (YesNo(), tensor([60.0, -60.0]), tensor([1, 1])),
        (Classes(3), tensor([[60.0, 0.0, -99.0], [-60.0, 0.0, -99.0]]), tensor([0, 0])),
    ):
        logits.requires_grad_()
        loss = output_for(labels, FocalLoss(gamma=gamma)).loss(logits, target)
        (gradient,) = torch.autograd.grad(loss, logits)
        assert torch.isfinite(gradient).all()
        assert float(loss) == pytest.approx(30, rel=1e-3)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: CrossEntropy(label_smoothing=1.0), r"label_smoothing is 1.0 \(expected 0 to less than 1\)"),
        (lambda: CrossEntropy(label_smoothing=-0.1), "label_smoothing is -0.1"),
        (lambda: FocalLoss(gamma=0), r"gamma is 0 \(expected above 0\)"),
        (
            lambda: output_for(Scores(0, 5), FocalLoss()),
            "FocalLoss is for classes or yes/no labels or sets of labels, but",
        ),
        (lambda: output_for(Scores(0, 5), CrossEntropy()), "CrossEntropy is for classes or yes/no labels or sets of"),
    ],
)
def test_what_does_not_fit_is_an_error(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_heads_pass_the_weights_on():
    torch.manual_seed(0)
    for kind in (LinearHead, ConcatProductHead):
        head = kind(6, Classes(4)).eval()
        output = head(torch.randn(8, head.num_sequences, 6))
        weighted, plain = head.loss(output, LABELS, WEIGHTS), head.loss(output, LABELS)
        assert not torch.isclose(weighted, plain)
        assert_close(head.loss(output, LABELS, torch.ones(8)), plain)
        assert isinstance(head, nn.Module)
