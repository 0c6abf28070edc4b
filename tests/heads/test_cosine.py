import math

import pytest
import torch
from torch import nn, tensor
from torch.nn import functional as F
from torch.testing import assert_close

from heads import CosineHead, LabelSpace, Scores
from heads.labels import classes_or_yes_no

STARS = Scores(0, 5)


def cosine_head(labels: LabelSpace) -> CosineHead:
    """Return the head whose projection changes nothing."""
    head = CosineHead(2, labels, projection_size=2).eval()
    nn.init.eye_(head.project.weight)
    nn.init.zeros_(head.project.bias)
    return head


def test_score_is_five_times_the_cosine():
    head = cosine_head(STARS)
    pairs = tensor([[[1.0, 0.0], [1.0, 1.0]], [[1.0, 2.0], [2.0, 4.0]], [[1.0, 0.0], [0.0, 3.0]]])
    output = head(pairs)
    assert_close(output, tensor([5 / math.sqrt(2), 5.0, 0.0]))
    assert_close(head.loss(output[1:], tensor([4.0, 3.0])), tensor((1 + 9) / 2))
    assert_close(head.predict(output), output)
    assert head.probabilities(output) is None


def test_opposite_sides_fall_below_the_lowest_label():
    assert_close(cosine_head(STARS)(tensor([[[1.0, 2.0], [-1.0, -2.0]]])), tensor([-5.0]))


def test_the_scale_follows_the_labels():
    pairs = tensor([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [2.0, 0.0]]])
    assert_close(cosine_head(Scores(1, 4))(pairs), tensor([1.0, 4.0]))


def test_output_equals_torch_and_does_not_depend_on_the_order():
    torch.manual_seed(0)
    head = CosineHead(16, STARS, projection_size=4).eval()
    pooled = torch.randn(5, 2, 16)
    sides = F.linear(pooled, head.project.weight, head.project.bias)
    assert_close(head(pooled), 5 * F.cosine_similarity(sides[:, 0], sides[:, 1]))
    assert_close(head(pooled), head(pooled.flip(1)))


def test_gradient_stays_finite_for_a_zero_vector():
    head = cosine_head(STARS)
    pooled = torch.zeros(1, 2, 2, requires_grad=True)
    head.loss(head(pooled), tensor([3.0])).backward()
    assert pooled.grad.isfinite().all()


def test_scores_under_bfloat16_autocast_are_cosines_in_float32():
    torch.manual_seed(0)
    head = cosine_head(STARS)
    pooled = torch.ones(500, 2, 2) + 0.05 * torch.randn(500, 2, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = head(pooled)
    assert scores.dtype == torch.float32
    assert len(scores.unique()) > 50  # bfloat16 has one number between 4.97 and 5


@pytest.mark.parametrize(("num_classes", "name"), [(2, "yes/no labels"), (5, "classes")])
def test_cosine_head_has_no_classes(num_classes, name):
    with pytest.raises(ValueError, match=f"CosineHead predicts scores, but the task has {name}"):
        CosineHead(2, classes_or_yes_no(num_classes))
