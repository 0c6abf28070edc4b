import math

import pytest
import torch
from scipy import stats
from torch import tensor
from torch.nn import functional as F
from torch.testing import assert_close

from heads import (
    ClassOutput,
    ConcatProductHead,
    ContinuationRatio,
    Correlation,
    CosineHead,
    LinearHead,
    OneVsAll,
    ScoreOutput,
)
from heads.continuation_ratio import ContinuationRatioOutput, continuation_log_probabilities
from heads.correlation import pearson
from heads.labels import Classes, Scores
from heads.one_vs_all import OneVsAllOutput
from heads.ordinal import ordinal_log_loss

FIVE, STARS = Classes(5), Scores(0, 5)

# One class against all


def test_one_vs_all_by_hand():
    logits = tensor([[math.log(3), -math.log(4)], [0.0, 0.0]])  # sigmoids 3/4, 1/5 and 1/2, 1/2
    right = -math.log(3 / 4) - math.log(4 / 5)
    assert_close(OneVsAllOutput(2).loss(logits, tensor([0, 1])), tensor((right + 2 * math.log(2)) / 2))
    assert_close(OneVsAllOutput(2).probabilities(logits), tensor([[0.75 / 0.95, 0.2 / 0.95], [0.5, 0.5]]))
    assert OneVsAllOutput(2).predict(logits).tolist() == [0, 0]


def test_one_vs_all_is_the_sum_of_each_classs_binary_cross_entropy():
    torch.manual_seed(0)
    logits, labels = torch.randn(7, 5), torch.randint(5, (7,))
    by_class = [F.binary_cross_entropy(logits[:, c].sigmoid(), (labels == c).float()) for c in range(5)]
    assert_close(OneVsAllOutput(5).loss(logits, labels), torch.stack(by_class).sum())


# Classes in an order


def test_ordinal_log_loss_by_hand():
    probabilities = tensor([[0.5, 0.25, 0.25]])
    expected = -(1**2 * math.log(0.75) + 2**2 * math.log(0.75))  # the label, at distance 0, adds nothing
    assert_close(ordinal_log_loss(probabilities.log(), tensor([0]), alpha=2), tensor(expected))


def test_ordinal_log_loss_is_the_formula():
    torch.manual_seed(0)
    logits, labels = torch.randn(9, 5) * 3, torch.randint(5, (9,))
    p = logits.double().softmax(dim=1)
    rows = [-sum(math.log(1 - p[n, i]) * abs(i - int(labels[n])) ** 1.5 for i in range(5)) for n in range(9)]
    assert float(ordinal_log_loss(logits, labels, alpha=1.5)) == pytest.approx(sum(rows) / 9, rel=1e-5)


def test_a_far_mistake_costs_more_than_a_near_one():
    near, far = tensor([[0.0, 9, 0, 0, 0]]), tensor([[0.0, 0, 0, 0, 9]])
    loss = ClassOutput(5, alpha=1.5).loss
    assert loss(near, tensor([0])) < loss(far, tensor([0]))


def test_continuation_by_hand():
    logits = tensor([[math.log(3), 0.0]])  # 3/4 go beyond class 0, half of them beyond class 1
    assert_close(ContinuationRatioOutput(3).probabilities(logits), tensor([[0.25, 0.375, 0.375]]))
    assert_close(ContinuationRatioOutput(3).loss(logits, tensor([2])), tensor(-math.log(0.375)))


def test_continuation_probabilities_are_consistent_for_any_logits():
    torch.manual_seed(0)
    logits = torch.randn(50, 4) * 20
    probabilities = continuation_log_probabilities(logits).exp()
    assert (probabilities >= 0).all()
    assert_close(probabilities.sum(dim=1), torch.ones(50))


def test_continuation_loss_is_the_conditional_binary_cross_entropies_of_corn():
    torch.manual_seed(0)
    logits, labels = torch.randn(8, 4), torch.randint(5, (8,))
    total = 0.0
    for k in range(4):
        asked = labels >= k  # only examples that reached rung k are asked whether they go on
        target = (labels[asked] > k).float()
        total += float(F.binary_cross_entropy_with_logits(logits[asked, k], target, reduction="sum"))
    assert float(ContinuationRatioOutput(5).loss(logits, labels)) == pytest.approx(total / 8, rel=1e-5)


# Correlation


def test_pearson_is_scipys():
    torch.manual_seed(0)
    scores, labels = torch.randn(20), torch.randn(20)
    assert float(pearson(scores, labels)) == pytest.approx(stats.pearsonr(scores, labels).statistic, abs=1e-5)


@pytest.mark.parametrize(
    ("scores", "labels"), [([2.0], [3.0]), ([2.0, 2.0, 2.0], [1.0, 2.0, 3.0]), ([1.0, 2.0], [4.0, 4.0])]
)
def test_an_undefined_correlation_is_zero_without_gradient(scores, labels):
    own = tensor(scores, requires_grad=True)
    loss = 1 - pearson(own, tensor(labels))
    loss.backward()
    assert float(loss) == 1
    assert own.grad.tolist() == [0.0] * len(scores)


def test_correlation_mixes_with_squares():
    scores, labels = tensor([1.0, 2.0, 4.0]), tensor([0.0, 3.0, 4.0])
    r = stats.pearsonr(scores, labels).statistic
    assert float(ScoreOutput(0, 5, correlation=0.25).loss(scores, labels)) == pytest.approx(
        0.25 * (1 - r) + 0.75 * 2 / 3, rel=1e-5
    )
    assert float(ScoreOutput(0, 5, correlation=1.0).loss(2 * scores, labels)) == pytest.approx(1 - r, rel=1e-5)


def test_a_correlation_of_bfloat16_scores_is_computed_in_float32():
    scores = tensor([4.0, 4.25, 4.5], dtype=torch.bfloat16)
    assert_close(pearson(scores, tensor([1.0, 2.0, 3.0])), tensor(1.0))


# In heads


def test_heads_take_a_loss():
    pooled = torch.randn(3, 1, 8)
    assert LinearHead(8, FIVE, loss=ContinuationRatio())(pooled).shape == (3, 4)
    assert LinearHead(8, FIVE, loss=OneVsAll())(pooled).shape == (3, 5)
    pairs = torch.randn(3, 2, 8)
    assert ConcatProductHead(8, FIVE, loss=ContinuationRatio())(pairs).shape == (3, 4)
    head = CosineHead(8, STARS, loss=Correlation(1.0)).eval()
    labels = tensor([1.0, 2.0, 5.0])
    assert_close(head.loss(head(pairs), labels), 1 - pearson(head(pairs), labels))
