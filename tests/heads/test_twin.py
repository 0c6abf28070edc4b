from functools import partial

import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from heads import (
    Classes,
    ConcatProductHead,
    ContinuationRatio,
    CosineHead,
    LinearHead,
    OneVsAll,
    ProductHead,
    Scores,
    TwinHead,
    YesNo,
)

FIVE, YES_NO, STARS = Classes(5), YesNo(), Scores(0, 5)
SPACES = [FIVE, YES_NO, STARS]
LABELS = {FIVE: torch.tensor([0, 3, 4, 1]), YES_NO: torch.tensor([0, 1, 1, 0]), STARS: torch.rand(4) * 5}


def pooled() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(4, 3, 8)


@pytest.mark.parametrize("labels", SPACES, ids=repr)
def test_each_head_reads_its_own_vectors(labels):
    head = TwinHead(8, labels).eval()
    vectors = pooled()
    output = head(vectors)
    (_, cross), (_, bi) = head.split(output).values()
    assert_close(cross, head.cross(vectors[:, :1]))
    assert_close(bi, head.bi(vectors[:, 1:]))
    assert output.shape == ((4, 2, 5) if isinstance(labels, Classes) else (4, 2))
    assert_close(head.predict(output), head.cross.predict(cross))


@pytest.mark.parametrize("labels", SPACES, ids=repr)
def test_the_loss_is_the_formula(labels):
    head = TwinHead(8, labels, share=0.25, temperature=2.0).eval()
    output = head(pooled())
    (cross, a), (bi, b) = head.split(output).values()
    gold = LABELS[labels]
    teacher = cross.predict(a) if isinstance(labels, Scores) else cross.probabilities(a)
    expected = cross.loss(a, gold) + 0.75 * bi.loss(b, gold) + 0.25 * bi.soft_loss(b, teacher, 2.0)
    assert_close(head.loss(output, gold), expected)
    assert head.split(output).keys() == set(TwinHead.views)


@pytest.mark.parametrize("labels", SPACES, ids=repr)
def test_the_cross_head_learns_nothing_from_the_bi_head(labels):
    head = TwinHead(8, labels, share=1.0).eval()
    gold = LABELS[labels]
    head.loss(head(pooled()), gold).backward()
    together = head.cross.linear.weight.grad.clone()
    head.zero_grad()
    head.cross.loss(head.cross(pooled()[:, :1]), gold).backward()
    assert_close(together, head.cross.linear.weight.grad)
    assert together.any()


def test_a_share_of_nothing_is_two_heads_side_by_side():
    head = TwinHead(8, STARS, share=0.0).eval()
    a, b = head(pooled()).unbind(dim=1)
    gold = LABELS[STARS]
    assert_close(head.loss(head(pooled()), gold), F.mse_loss(a, gold) + F.mse_loss(b, gold))


def test_averages_are_taken_head_by_head():
    head = TwinHead(8, YES_NO).eval()
    outputs = torch.randn(2, 4, 2)
    averaged = head.average(outputs)
    for place, part in enumerate((head.cross, head.bi)):
        mean = torch.stack([part.probabilities(one[:, place]) for one in outputs]).mean(dim=0)
        assert_close(part.probabilities(averaged[:, place]), mean)


def test_a_saved_teacher_teaches_both():
    head = TwinHead(8, YES_NO).eval()
    output, target = head(pooled()), torch.full((4, 2), 0.5)
    cross, bi = output.unbind(dim=1)
    expected = head.cross.soft_loss(cross, target, 1.0) + head.bi.soft_loss(bi, target, 1.0)
    assert_close(head.soft_loss(output, target, 1.0), expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cross": CosineHead}, "TwinHead: cross is CosineHead, which reads 2 vector"),
        ({"bi": LinearHead}, "TwinHead: bi is LinearHead, which reads 1 vector"),
        ({"share": 1.5}, "share is 1.5"),
        ({"temperature": 0.0}, "temperature is 0.0"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        TwinHead(8, STARS, **options)


def test_heads_whose_outputs_differ_are_refused():
    with pytest.raises(ValueError, match="the cross head gives 4 values an example, the bi head 5"):
        TwinHead(8, FIVE, cross=partial(LinearHead, loss=ContinuationRatio()))
    both = {"cross": partial(LinearHead, loss=OneVsAll()), "bi": partial(ConcatProductHead, loss=OneVsAll())}
    assert TwinHead(8, FIVE, **both)(pooled()).shape == (4, 2, 5)
    assert TwinHead(8, YES_NO, bi=ProductHead)(pooled()).shape == (4, 2)
