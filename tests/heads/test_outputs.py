import math

import pytest
import torch
from torch import tensor
from torch.nn import functional as F
from torch.testing import assert_close

from heads import (
    AbsoluteError,
    BinaryOutput,
    ClassOutput,
    ContinuationRatio,
    Correlation,
    OneVsAll,
    OrdinalLogLoss,
    ScoreOutput,
)
from heads.continuation_ratio import ContinuationRatioOutput
from heads.labels import Classes, Scores, YesNo, name_kinds
from heads.losses import output_for
from heads.one_vs_all import OneVsAllOutput

FIVE, YES_NO, STARS = Classes(5), YesNo(), Scores(0, 5)

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


@pytest.mark.parametrize(
    "output",
    [ClassOutput(3), BinaryOutput(), OneVsAllOutput(4), ContinuationRatioOutput(4), ContinuationRatioOutput(3)],
)
def test_probabilities_sum_to_one_and_agree_with_the_prediction(output):
    torch.manual_seed(0)
    logits = output.from_raw(torch.randn(20, output.num_values) * 10)
    probabilities = output.probabilities(logits)
    assert_close(probabilities.sum(dim=1), torch.ones(20))
    assert probabilities.argmax(dim=1).tolist() == output.predict(logits).tolist()


def test_a_batch_of_one_keeps_its_dimension():
    assert BinaryOutput().from_raw(torch.zeros(1, 1)).shape == (1,)
    assert ScoreOutput(0, 5).from_raw(torch.zeros(1, 1)).shape == (1,)


@pytest.mark.parametrize("output", [BinaryOutput("l1"), BinaryOutput(), ScoreOutput(0, 5), ScoreOutput(0, 5, "l1")])
def test_a_loss_of_bfloat16_outputs_is_computed_in_float32(output):
    outputs = tensor([4.0, 8.0], dtype=torch.bfloat16, requires_grad=True)
    labels = tensor([0.0, 0.0]) if isinstance(output, BinaryOutput) else tensor([4.81, 2.27])
    loss = output.loss(outputs, labels)
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.item() == output.loss(outputs.detach().float(), labels).item()
    assert outputs.grad.ne(0).all()  # the sigmoid of 8 is 1 in bfloat16, and flat


@pytest.mark.parametrize("output", [BinaryOutput("l1"), ScoreOutput(0, 5), ClassOutput(3)])
def test_a_loss_of_float64_outputs_stays_in_float64(output):
    raw = torch.zeros(2, output.num_values, dtype=torch.float64)
    assert output.loss(output.from_raw(raw), tensor([0, 1])).dtype == torch.float64


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
        (ScoreOutput(0, 5, correlation=1.0), [0.0, 5.0]),
        (ClassOutput(3, alpha=1.5), [0, 1]),
        (OneVsAllOutput(3), [0, 1]),
        (ContinuationRatioOutput(3), [0, 2]),
    ],
)
@pytest.mark.parametrize("size", [0.0, 1e4, -1e4])
def test_loss_and_gradient_stay_finite_for_extreme_values(output, labels, size):
    raw = torch.full((2, output.num_values), size, requires_grad=True)
    loss = output.loss(output.from_raw(raw), tensor(labels))
    loss.backward()
    assert loss.isfinite()
    assert raw.grad.isfinite().all()


# Averages and teachers

DISCRETE = [ClassOutput(3), ClassOutput(4, alpha=1.0), BinaryOutput(), OneVsAllOutput(4), ContinuationRatioOutput(4)]


@pytest.mark.parametrize("output", DISCRETE)
def test_an_average_has_the_mean_probabilities(output):
    torch.manual_seed(0)
    outputs = torch.stack([output.from_raw(torch.randn(6, output.num_values) * 3) for _ in range(3)])
    mean = torch.stack([output.probabilities(one) for one in outputs]).mean(dim=0)
    assert_close(output.probabilities(output.average(outputs)), mean, rtol=1e-5, atol=1e-6)
    assert output.predict(output.average(outputs)).tolist() == mean.argmax(dim=1).tolist()


@pytest.mark.parametrize("output", DISCRETE)
def test_the_average_of_certain_outputs_stays_finite(output):
    outputs = torch.stack([output.from_raw(torch.full((2, output.num_values), size)) for size in (60.0, 60.0)])
    assert output.average(outputs).isfinite().all()


def test_the_average_of_scores_is_their_mean():
    assert_close(ScoreOutput(0, 5).average(tensor([[1.0, 2.0], [2.0, 5.0]])), tensor([1.5, 3.5]))


@pytest.mark.parametrize("temperature", [1.0, 2.0])
@pytest.mark.parametrize("output", DISCRETE)
def test_soft_loss_is_the_divergence_from_the_teacher(output, temperature):
    torch.manual_seed(0)
    logits = output.from_raw(torch.randn(6, output.num_values))
    teacher = torch.rand(6, output.probabilities(logits).shape[1]).softmax(dim=1)

    def soft(probabilities: torch.Tensor) -> torch.Tensor:
        powers = probabilities.double() ** (1 / temperature)
        return powers / powers.sum(dim=1, keepdim=True)

    wanted, own = soft(teacher), soft(output.probabilities(logits))
    by_hand = (wanted * (wanted / own).log()).sum(dim=1).mean() * temperature**2
    assert_close(output.soft_loss(logits, teacher, temperature).double(), by_hand, rtol=1e-4, atol=1e-6)
    assert float(output.soft_loss(logits, output.probabilities(logits), temperature)) == pytest.approx(0, abs=1e-5)


def test_soft_loss_of_yes_and_no_is_cross_entropy_less_the_teachers_entropy():
    logits, yes = tensor([0.3, -2.0]), tensor([0.9, 0.2])
    teacher = torch.stack([1 - yes, yes], dim=1)
    entropy = -(teacher * teacher.log()).sum(dim=1).mean()
    expected = F.binary_cross_entropy_with_logits(logits, yes) - entropy
    assert_close(BinaryOutput().soft_loss(logits, teacher, 1.0), expected)


def test_soft_loss_with_a_teacher_that_is_certain_is_finite():
    teacher = tensor([[1.0, 0.0, 0.0]])
    assert_close(ClassOutput(3).soft_loss(torch.zeros(1, 3), teacher, 1.0), tensor(math.log(3)), rtol=1e-4, atol=1e-5)


def test_soft_loss_of_scores_is_the_squared_difference():
    assert_close(ScoreOutput(0, 5).soft_loss(tensor([1.0, 2.0]), tensor([3.0, 2.0]), 2.0), tensor(2.0))


# Which output belongs to which labels


@pytest.mark.parametrize(
    ("labels", "loss", "expected"),
    [
        (FIVE, None, ClassOutput(5)),
        (FIVE, OneVsAll(), OneVsAllOutput(5)),
        (FIVE, OrdinalLogLoss(2.0), ClassOutput(5, alpha=2.0)),
        (FIVE, ContinuationRatio(), ContinuationRatioOutput(5)),
        (YES_NO, None, BinaryOutput("bce")),
        (YES_NO, AbsoluteError(), BinaryOutput("l1")),
        (STARS, None, ScoreOutput(0, 5, "mse")),
        (STARS, AbsoluteError(), ScoreOutput(0, 5, "l1")),
        (STARS, Correlation(0.25), ScoreOutput(0, 5, "mse", correlation=0.25)),
    ],
)
def test_output_of_a_label_space(labels, loss, expected):
    assert output_for(labels, loss) == expected


@pytest.mark.parametrize(
    ("labels", "loss", "message"),
    [
        (FIVE, AbsoluteError(), "the loss AbsoluteError is for yes/no labels or scores, but the task has classes"),
        (YES_NO, OneVsAll(), "the loss OneVsAll is for classes, but the task has yes/no labels"),
        (STARS, OrdinalLogLoss(), "the loss OrdinalLogLoss is for classes, but the task has scores"),
        (YES_NO, ContinuationRatio(), "the loss ContinuationRatio is for classes, but the task has yes/no labels"),
        (FIVE, Correlation(), "the loss Correlation is for scores, but the task has classes"),
    ],
)
def test_a_loss_that_does_not_fit_the_labels_is_refused(labels, loss, message):
    with pytest.raises(ValueError, match=message):
        output_for(labels, loss)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: OrdinalLogLoss(0.0), "alpha is 0.0"),
        (lambda: Correlation(0.0), "share is 0.0"),
        (lambda: Correlation(1.5), "share is 1.5"),
    ],
)
def test_options_of_a_loss_are_checked(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_kinds_of_label_have_names():
    assert name_kinds((Classes, YesNo, Scores)) == "classes or yes/no labels or scores"
