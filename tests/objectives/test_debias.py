import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from heads import Classes, Correlation, CrossEntropy, Head, LabelSets, LinearHead, OneVsAll, Scores, YesNo
from objectives import ConfidenceRegularization, Debias, LossInputs, ProductOfExperts, Reweighting
from objectives.debias import label_confidence

NAN = math.nan
RNG = np.random.default_rng(0)
YES = np.array([0, 1, 1, NAN, 0, 1], dtype=np.float64)
SAYS = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [NAN, NAN], [0.3, 0.7], [0.5, 0.5]])
STARS = np.array([0, 1, 2, 2, 0, NAN], dtype=np.float64)
GUESSES = RNG.dirichlet([1, 1, 1], size=6)
SCORES = np.array([0.0, 5.0, 2.5, 4.0, NAN, 1.0])
GUESSED = np.array([1.0, 4.0, 3.0, 1.0, 2.0, 2.0])
ALL: list[Debias] = [ProductOfExperts(), Reweighting(), ConfidenceRegularization()]


def column(debias: Debias, answers: np.ndarray, labels: np.ndarray) -> Tensor:
    return torch.from_numpy(np.nan_to_num(debias.prepare(answers, labels, np.ones(len(labels)))).astype(np.float32))


def loss(head: Head, inputs: LossInputs, labels: np.ndarray) -> float:
    """Return the mean loss of the rows with a label."""
    known = torch.from_numpy(np.flatnonzero(~np.isnan(labels)))
    weights = None if inputs.weights is None else inputs.weights[known]
    space = Scores(0, 5) if head.output.probabilities(inputs.output) is None else Classes(3)
    return float(head.loss(inputs.output[known], space.as_tensor(labels)[known], weights))


def test_the_product_of_yes_or_no_experts_is_computed_by_hand():
    logits = RNG.normal(size=6)
    found = ProductOfExperts(strength=0.4)(LossInputs(torch.tensor(logits), None, None), column(ALL[0], SAYS, YES), 0.0)
    expected = []
    for row in (0, 1, 2, 4, 5):
        p = np.array([1 / (1 + np.exp(logits[row])), 1 / (1 + np.exp(-logits[row]))])
        product = p * (SAYS[row] / [2 / 5, 3 / 5]) ** 0.4
        expected.append(-np.log(product[int(YES[row])] / product.sum()))
    assert loss(LinearHead(2, YesNo()), found, YES) == pytest.approx(np.mean(expected), rel=1e-6)


def test_the_product_of_experts_about_classes_is_computed_by_hand():
    logits = RNG.normal(size=(6, 3))
    found = ProductOfExperts(strength=1.0)(
        LossInputs(torch.tensor(logits), None, None), column(ALL[0], GUESSES, STARS), 0.0
    )
    product = np.exp(logits) * GUESSES / [2 / 5, 1 / 5, 2 / 5]
    product /= product.sum(axis=1, keepdims=True)
    expected = -np.log(product[np.arange(5), STARS[:5].astype(int)]).mean()
    assert loss(LinearHead(2, Classes(3)), found, STARS) == pytest.approx(expected, rel=1e-6)


def test_a_score_is_left_with_what_the_shortcut_does_not_say():
    scores = RNG.uniform(0, 5, 6)
    found = ProductOfExperts(strength=0.3)(
        LossInputs(torch.tensor(scores), None, None), column(ALL[0], GUESSED, SCORES), 0.0
    )
    known = ~np.isnan(SCORES)
    mean = GUESSED[known].mean()
    expected = ((scores + 0.3 * (GUESSED - mean) - SCORES)[known] ** 2).mean()
    assert loss(LinearHead(2, Scores(0, 5)), found, SCORES) == pytest.approx(expected, rel=1e-6)


def test_two_normal_distributions_of_one_width_multiply_to_the_sum_of_the_means():
    grid = np.linspace(-30, 30, 60_001)
    experts = [np.exp(-((grid - mean) ** 2) / 2 + grid**2 / 2) for mean in (1.2, -0.5)]  # over the base measure
    product = experts[0] * experts[1] * np.exp(-(grid**2) / 2)
    assert grid[product.argmax()] == pytest.approx(0.7, abs=1e-3)


def test_sure_answers_are_bounded():
    found = ProductOfExperts().prepare(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0.0, 1.0]), np.ones(2))
    assert np.abs(found).max() == pytest.approx(-math.log(1e-4))


@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_rows_that_the_shortcut_tells_count_less(strength):
    debias = Reweighting(strength=strength)
    logits = RNG.normal(size=6)
    own = np.array([1.0, 2.0, 1.0, 9.0, 1.0, 2.0])  # of classes
    shortcut = column(debias, SAYS, YES)
    inputs = LossInputs(torch.tensor(logits), torch.tensor(own), None)
    known = [0, 1, 2, 4, 5]
    rest = np.array([0.1, 0.2, 0.6, 0.7, 0.5])
    weights = 1 - strength + strength * rest / rest.mean()
    signs = np.where(YES[known] == 1, -1, 1)
    losses = np.log1p(np.exp(signs * logits[known]))
    assert weights.mean() == pytest.approx(1.0)
    head = LinearHead(2, YesNo())
    assert loss(head, debias(inputs, shortcut, 0.0), YES) == pytest.approx((losses * weights * own[known]).mean())
    alone = debias(inputs._replace(weights=None), shortcut, 0.0)
    assert loss(head, alone, YES) == pytest.approx((losses * weights).mean())


def test_scores_that_the_shortcut_tells_count_less():
    debias = Reweighting(strength=0.5)
    scores = RNG.uniform(0, 5, 6)
    found = debias(LossInputs(torch.tensor(scores), None, None), column(debias, GUESSED, SCORES), 0.0)
    known = ~np.isnan(SCORES)
    squares = ((SCORES - GUESSED) ** 2)[known]
    rest = 1 - np.exp(-squares / (2 * squares.mean()))
    expected = (((scores - SCORES)[known] ** 2) * (0.5 + 0.5 * rest / rest.mean())).mean()
    assert loss(LinearHead(2, Scores(0, 5)), found, SCORES) == pytest.approx(expected, rel=1e-6)


def test_a_teacher_is_flattened_where_the_shortcut_is_sure_of_the_label():
    debias = ConfidenceRegularization(strength=0.8)
    teacher = RNG.dirichlet([1, 1, 1], size=6)
    inputs = LossInputs(torch.zeros(6, 3), None, torch.tensor(teacher, dtype=torch.float32))
    found = debias(inputs, column(debias, GUESSES, STARS), 0.0).teacher
    sure = np.array([GUESSES[row, int(STARS[row])] for row in range(5)] + [0.0])  # the last row has no label
    expected = teacher ** (1 - 0.8 * sure[:, None])
    assert found is not None
    assert found.numpy() == pytest.approx(expected / expected.sum(axis=1, keepdims=True), rel=1e-4)
    certain = ConfidenceRegularization()(inputs, torch.ones(6), 0.0).teacher
    assert certain is not None
    assert certain.numpy() == pytest.approx(np.full((6, 3), 1 / 3))


def test_a_teachers_score_moves_to_the_mean_where_the_shortcut_is_sure_of_it():
    debias = ConfidenceRegularization(strength=0.5)
    teacher = torch.tensor([1.0, 4.0, 3.0, 2.0, 1.5, 0.5])
    found = debias(LossInputs(teacher, None, teacher), column(debias, GUESSED, SCORES), 0.0).teacher
    squares = (SCORES - GUESSED) ** 2
    sure = np.nan_to_num(np.exp(-squares / (2 * np.nanmean(squares))))
    expected = (1 - 0.5 * sure) * teacher.numpy() + 0.5 * sure * np.nanmean(SCORES)
    assert found is not None
    assert found.numpy() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("debias", [ProductOfExperts(0.0), Reweighting(0.0), ConfidenceRegularization(0.0)])
def test_at_strength_0_nothing_is_changed(debias):
    inputs = LossInputs(torch.randn(6), None, torch.rand(6, 2))
    assert debias(inputs, column(debias, SAYS, YES), 0.5) is inputs


def test_strength_changes_in_a_straight_line():
    inputs, shortcut = LossInputs(torch.zeros(1), None, None), torch.ones(1)
    found = [
        float(ProductOfExperts(strength=1.0, end_strength=0.2)(inputs, shortcut, progress).output)
        for progress in (0.0, 0.5, 1.0)
    ]
    assert found == pytest.approx([1.0, 0.6, 0.2])
    falling = ProductOfExperts(strength=0.5, end_strength=0.0)
    assert falling(inputs, shortcut, 1.0) is inputs


def test_half_precision_is_added_in_full():
    inputs = LossInputs(torch.tensor([4.0], dtype=torch.bfloat16), None, None)
    found = ProductOfExperts(strength=1.0)(inputs, torch.tensor([0.01]), 0.0)
    assert found.output.dtype == torch.float32
    assert found.output.item() == pytest.approx(4.01)


def train_weights(debias: Debias | None, features: np.ndarray, labels: np.ndarray, answers: np.ndarray) -> list[float]:
    """Train a head of a weight a feature to the end, and return the weights."""
    torch.manual_seed(0)
    head = LinearHead(2, YesNo(), dropout=0.0).double()
    pooled, target = torch.tensor(features)[:, None], torch.tensor(labels).long()
    teacher = None
    if debias is not None and debias.needs_teacher:
        plain = train_weights(None, features, labels, answers)
        teacher = torch.tensor(features @ plain[:2] + plain[2]).sigmoid()
        teacher = torch.stack([1 - teacher, teacher], dim=1)
    shortcut = torch.empty(0) if debias is None else torch.tensor(debias.prepare(answers, labels, np.ones(len(labels))))
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=200, line_search_fn="strong_wolfe", tolerance_grad=1e-10)

    def closure() -> Tensor:
        optimizer.zero_grad()
        inputs = LossInputs(head(pooled), None, teacher)
        changed = inputs if debias is None else debias(inputs, shortcut, 0.0)
        if teacher is None:
            found = head.loss(changed.output, target, changed.weights)
        else:
            assert changed.teacher is not None
            found = head.soft_loss(changed.output, changed.teacher, 1.0)
        found.backward()
        return found

    optimizer.step(closure)
    return [*head.linear.weight.detach().flatten().tolist(), head.linear.bias.item()]


@pytest.fixture(scope="module")
def planted() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A shortcut and a meaning as two features, labels that follow both, and a model of the shortcut alone."""
    shortcut, meaning = RNG.normal(size=2000), RNG.normal(size=2000)
    features = np.stack([shortcut, meaning], axis=1)
    labels = (RNG.random(2000) < 1 / (1 + np.exp(-(2 * shortcut + meaning)))).astype(np.float64)
    alone = train_weights(None, features * [1, 0], labels, SAYS)
    yes = 1 / (1 + np.exp(-(alone[0] * shortcut + alone[2])))
    return features, labels, np.stack([1 - yes, yes], axis=1), np.array(alone)


@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_a_product_of_experts_takes_exactly_its_strength_from_the_weight_of_the_shortcut(planted, strength):
    features, labels, answers, alone = planted
    plain = train_weights(None, features, labels, answers)
    found = train_weights(ProductOfExperts(strength), features, labels, answers)
    assert found[0] == pytest.approx(plain[0] - strength * alone[0], abs=1e-2)
    assert found[1] == pytest.approx(plain[1], abs=1e-3)
    assert alone[0] > 1


@pytest.mark.parametrize("debias", [Reweighting(1.0), ConfidenceRegularization(1.0)])
def test_other_remedies_lower_the_weight_of_the_shortcut_beside_that_of_the_meaning(planted, debias):
    features, labels, answers, _ = planted
    plain = train_weights(None, features, labels, answers)
    weaker = train_weights(type(debias)(0.5), features, labels, answers)
    found = train_weights(debias, features, labels, answers)
    assert found[0] < 0.7 * plain[0]
    assert found[0] / found[1] < weaker[0] / weaker[1] < plain[0] / plain[1]


def test_a_labels_probability_is_how_sure_the_shortcut_is():
    assert label_confidence(SAYS, YES)[:3].tolist() == [0.9, 0.8, 0.4]
    assert label_confidence(np.array([2.0, 2.0]), np.array([2.0, 2.0])).tolist() == [1.0, 1.0]
    assert Reweighting().prepare(np.array([2.0, 2.0]), np.array([2.0, 2.0]), np.ones(2)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("kind", [type(debias) for debias in ALL])
@pytest.mark.parametrize(("name", "value"), [("strength", -0.1), ("strength", 1.5), ("end_strength", NAN)])
def test_a_strength_out_of_range_is_refused(kind, name, value):
    with pytest.raises(ValueError, match=rf"debias {kind.__name__}: {name} is {value} \(expected 0 to 1\)"):
        kind(**{name: value})


@pytest.mark.parametrize(
    ("debias", "has_teacher", "message"),
    [
        (ProductOfExperts(), True, r"ProductOfExperts learns from labels alone, but the task has a teacher"),
        (Reweighting(), True, r"Reweighting learns from labels alone"),
        (ConfidenceRegularization(), False, r"ConfidenceRegularization scales what a teacher says, but .* has none"),
    ],
)
def test_a_teacher_is_asked_for_or_refused(debias, has_teacher, message):
    debias.check(YesNo(), has_teacher=not has_teacher)
    with pytest.raises(ValueError, match=message):
        debias.check(YesNo(), has_teacher=has_teacher)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="for one label a row, but the task has sets of labels"):
        Reweighting().check(LabelSets(3), has_teacher=False)
    with pytest.raises(ValueError, match="but the head has a OneVsAllOutput"):
        ProductOfExperts().check_output(LinearHead(2, Classes(3), loss=OneVsAll()).output)
    with pytest.raises(ValueError, match="the loss Correlation is of the whole batch"):
        Reweighting().check_output(LinearHead(2, Scores(0, 5), loss=Correlation()).output)
    for debias in ALL:
        debias.check_output(LinearHead(2, Classes(3), loss=CrossEntropy(0.1)).output)


def test_weights_of_scores_multiply_each_rows_loss():
    head = LinearHead(2, Scores(0, 5))
    output, labels, weights = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 4.0]), torch.tensor([0.5, 2.0])
    assert head.loss(output, labels, weights).item() == pytest.approx((0.5 * 1 + 2 * 4) / 2)
    assert torch.equal(head.loss(output, labels), F.mse_loss(output, labels))
