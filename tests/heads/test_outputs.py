import math

import pytest
import torch
from torch import tensor
from torch.nn import functional as F
from torch.testing import assert_close

from heads import BinaryOutput, ClassOutput, LabelSpace, ScoreOutput
from heads.outputs import describe, output_for

FIVE, YES_NO, STARS = LabelSpace.of_classes(5), LabelSpace.of_classes(2), LabelSpace.of_scores(0, 5)

# Worked examples by hand


def test_class_output_by_hand():
    output = ClassOutput(3)
    logits = tensor([[0.0, math.log(2), 0.0], [math.log(8), 0.0, 0.0]])  # odds 1 : 2 : 1 and 8 : 1 : 1
    assert_close(output.from_raw(logits), logits)
    assert_close(output.probabilities(logits), tensor([[0.25, 0.5, 0.25], [0.8, 0.1, 0.1]]))
    assert_close(output.loss(logits, tensor([1, 2])), tensor((math.log(2) + math.log(10)) / 2))
    assert output.predict(logits).tolist() == [1, 0]


def test_binary_output_by_hand():
    output = BinaryOutput()
    logits = output.from_raw(tensor([[math.log(3)], [-math.log(4)]]))  # odds of yes 3 : 1 and 1 : 4
    assert logits.shape == (2,)
    assert_close(output.probabilities(logits), tensor([[0.25, 0.75], [0.8, 0.2]]))
    assert_close(output.loss(logits, tensor([1, 1])), tensor((math.log(4 / 3) + math.log(5)) / 2))
    assert output.predict(logits).tolist() == [1, 0]


def test_l1_binary_output_compares_the_sigmoid_with_the_label():
    logits = tensor([math.log(3), -math.log(4)])
    assert_close(BinaryOutput("l1").loss(logits, tensor([1, 1])), tensor((0.25 + 0.8) / 2))


def test_even_odds_are_a_no():
    assert BinaryOutput().predict(tensor([0.0])).tolist() == [0]


def test_score_output_by_hand():
    output = ScoreOutput(0, 5)
    scores = output.from_raw(tensor([[0.0], [math.log(4)]]))  # 5 * 1/2 and 5 * 4/5
    assert_close(scores, tensor([2.5, 4.0]))
    assert_close(output.loss(scores, tensor([4.0, 4.0])), tensor(1.5**2 / 2))
    assert_close(ScoreOutput(0, 5, "l1").loss(scores, tensor([4.0, 4.0])), tensor(0.75))
    assert_close(output.predict(scores), scores)
    assert output.probabilities(scores) is None


def test_a_score_starts_at_low():
    assert_close(ScoreOutput(-1, 3).from_raw(tensor([[-100.0], [0.0], [100.0]])), tensor([-1.0, 1.0, 3.0]))


# Equality with torch


def test_losses_equal_those_of_torch():
    torch.manual_seed(0)
    logits, classes = torch.randn(7, 5), torch.randint(5, (7,))
    one, yes, stars = torch.randn(7), torch.randint(2, (7,)), torch.rand(7) * 5
    assert_close(ClassOutput(5).loss(logits, classes), F.cross_entropy(logits, classes))
    assert_close(BinaryOutput().loss(one, yes), F.binary_cross_entropy(one.sigmoid(), yes.float()))
    assert_close(BinaryOutput("l1").loss(one, yes), F.l1_loss(one.sigmoid(), yes.float()))
    assert_close(ScoreOutput(0, 5).loss(one, stars), F.mse_loss(one, stars))
    assert_close(ScoreOutput(0, 5, "l1").loss(one, stars), F.l1_loss(one, stars))


# Properties


@pytest.mark.parametrize("output", [ClassOutput(3), BinaryOutput()])
def test_probabilities_sum_to_one_and_agree_with_the_prediction(output):
    torch.manual_seed(0)
    logits = output.from_raw(torch.randn(20, output.num_values) * 10)
    probabilities = output.probabilities(logits)
    assert_close(probabilities.sum(dim=1), torch.ones(20))
    assert probabilities.argmax(dim=1).tolist() == output.predict(logits).tolist()


def test_a_batch_of_one_keeps_its_dimension():
    assert BinaryOutput().from_raw(torch.zeros(1, 1)).shape == (1,)
    assert ScoreOutput(0, 5).from_raw(torch.zeros(1, 1)).shape == (1,)


def test_scores_from_bfloat16_have_the_precision_of_float32():
    scores = ScoreOutput(0, 5).from_raw(tensor([[2.0]], dtype=torch.bfloat16))
    assert_close(scores, tensor([5 / (1 + math.exp(-2))]))
    assert_close(ScoreOutput(0, 5).loss(scores, tensor([4.8])), (scores[0] - 4.8) ** 2)


@pytest.mark.parametrize("output", [ClassOutput(2), BinaryOutput()])
def test_probabilities_from_bfloat16_are_float32(output):
    logits = output.from_raw(torch.randn(3, output.num_values, dtype=torch.bfloat16))
    assert output.probabilities(logits).dtype == torch.float32


@pytest.mark.parametrize(
    ("output", "labels"),
    [
        (ClassOutput(3), [0, 1]),
        (BinaryOutput(), [0, 1]),
        (BinaryOutput("l1"), [0, 1]),
        (ScoreOutput(0, 5), [0.0, 5.0]),
        (ScoreOutput(0, 5, "l1"), [0.0, 5.0]),
    ],
)
@pytest.mark.parametrize("size", [0.0, 1e4, -1e4])
def test_loss_and_gradient_stay_finite_for_extreme_values(output, labels, size):
    raw = torch.full((2, output.num_values), size, requires_grad=True)
    loss = output.loss(output.from_raw(raw), tensor(labels))
    loss.backward()
    assert loss.isfinite()
    assert raw.grad.isfinite().all()


# Which output belongs to which labels


@pytest.mark.parametrize(
    ("labels", "absolute", "expected"),
    [
        (FIVE, False, ClassOutput(5)),
        (YES_NO, False, BinaryOutput("bce")),
        (YES_NO, True, BinaryOutput("l1")),
        (STARS, False, ScoreOutput(0, 5, "mse")),
        (STARS, True, ScoreOutput(0, 5, "l1")),
    ],
)
def test_output_of_a_label_space(labels, absolute, expected):
    assert output_for(labels, absolute=absolute) == expected


def test_five_classes_have_no_l1_loss():
    with pytest.raises(ValueError, match="an L1 loss needs a yes/no or score label, but the task has 5 classes"):
        output_for(FIVE, absolute=True)


def test_kinds_of_label_have_names():
    assert [describe(kind) for kind in ("class", "binary", "score")] == ["classes", "yes/no labels", "scores"]
