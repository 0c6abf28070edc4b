import math

import pytest
import torch
from torch import Tensor, nn, tensor
from torch.nn import functional as F
from torch.testing import assert_close

from heads import Classes, Scores, YesNo
from objectives import CosineEmbedding, MultipleNegativesRanking, PairObjective, SimCse

CLASSES, YES_NO, STARS = Classes(3), YesNo(), Scores(0, 5)


def never() -> Tensor:
    raise AssertionError("this objective needs no second forward pass")


@pytest.fixture
def pairs() -> Tensor:
    torch.manual_seed(0)
    return torch.randn(6, 2, 8, requires_grad=True)


def cosines(first: Tensor, second: Tensor) -> list[list[float]]:
    """Cosine of each pair of rows, by a plain loop."""
    return [[float(a @ b / a.norm() / b.norm()) for b in second] for a in first]


def find_partner(row: list[float], place: int, scale: float) -> float:
    """-log softmax(scale * row) at a place."""
    return math.log(sum(math.exp(scale * value) for value in row)) - scale * row[place]


# Cosine embedding


@pytest.mark.parametrize("margin", [0.0, 0.3])
def test_cosine_embedding_is_torchs(margin, pairs):
    labels = tensor([1, 0, 0, 1, 0, 0])
    expected = nn.CosineEmbeddingLoss(margin=margin)(pairs[:, 0], pairs[:, 1], labels * 2.0 - 1)
    assert_close(CosineEmbedding(margin=margin).loss(pairs, labels, never), expected)


def test_cosine_embedding_by_hand_with_a_threshold_on_scores():
    same, across = [[1.0, 0.0], [2.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]
    vectors = tensor([same, across, same])  # cosines 1, 0 and 1; labels above, above and below the threshold
    loss = CosineEmbedding(positive=3.0).loss(vectors, tensor([5.0, 3.0, 2.9]), never)
    assert_close(loss, tensor((0 + 1 + 1) / 3))


# Multiple negatives


@pytest.mark.parametrize("symmetric", [False, True])
def test_multiple_negatives_is_the_formula(symmetric, pairs):
    labels = tensor([1, 0, 1, 1, 0, 0])
    similar = cosines(*pairs.detach().unbind(dim=1))
    columns = [list(column) for column in zip(*similar, strict=True)]
    losses = [find_partner(similar[i], i, 20.0) for i in (0, 2, 3)]
    if symmetric:
        back = [find_partner(columns[i], i, 20.0) for i in (0, 2, 3)]
        losses = [(a + b) / 2 for a, b in zip(losses, back, strict=True)]
    loss = MultipleNegativesRanking(symmetric=symmetric).loss(pairs, labels, never)
    assert float(loss) == pytest.approx(sum(losses) / 6, rel=1e-5)


def test_multiple_negatives_of_positive_pairs_alone_is_cross_entropy_on_the_diagonal(pairs):
    first, second = F.normalize(pairs, dim=2).unbind(dim=1)
    expected = F.cross_entropy(first @ second.T * 10, torch.arange(6))
    assert_close(MultipleNegativesRanking(scale=10).loss(pairs, torch.ones(6, dtype=torch.long), never), expected)


def test_the_length_of_a_vector_does_not_matter(pairs):
    labels = torch.ones(6, dtype=torch.long)
    objective = MultipleNegativesRanking()
    assert_close(objective.loss(pairs * 7, labels, never), objective.loss(pairs, labels, never))


def test_a_batch_without_a_positive_pair_adds_nothing(pairs):
    loss = MultipleNegativesRanking().loss(pairs, torch.zeros(6, dtype=torch.long), never)
    loss.backward()
    assert float(loss) == 0
    assert not pairs.grad.any()


def test_one_row_alone_adds_nothing(pairs):
    assert float(MultipleNegativesRanking().loss(pairs[:1], tensor([1]), never)) == 0


@pytest.mark.parametrize("objective", [MultipleNegativesRanking(symmetric=True), SimCse()])
def test_a_process_without_rows_adds_nothing(objective: PairObjective) -> None:
    pooled = torch.zeros(0, 2, 4, requires_grad=True)
    loss = objective.loss(pooled, torch.zeros(0, dtype=torch.long), lambda: pooled)
    loss.backward()
    assert objective.gathers
    assert loss.item() == 0
    assert pooled.grad is not None


def test_positive_is_a_smallest_score_or_a_class(pairs):
    by_label = MultipleNegativesRanking().loss(pairs, tensor([1, 0, 1, 0, 0, 0]), never)
    scores = tensor([4.0, 3.9, 5.0, 0.0, 1.0, 2.0])
    assert_close(MultipleNegativesRanking(positive=4).loss(pairs, scores, never), by_label)
    assert_close(MultipleNegativesRanking(positive=2).loss(pairs, tensor([2, 1, 2, 0, 1, 0]), never), by_label)


# SimCse


@pytest.mark.parametrize("num_sequences", [1, 2])
def test_simcse_is_the_formula_side_by_side(num_sequences):
    torch.manual_seed(0)
    one, other = torch.randn(5, num_sequences, 8), torch.randn(5, num_sequences, 8)
    losses = [
        find_partner(cosines(one[:, side], other[:, side])[row], row, 1 / 0.05)
        for side in range(num_sequences)
        for row in range(5)
    ]
    loss = SimCse().loss(one, torch.zeros(5), lambda: other)
    assert float(loss) == pytest.approx(sum(losses) / len(losses), rel=1e-5)


# Precision


@pytest.mark.parametrize("objective", [MultipleNegativesRanking(), SimCse(), CosineEmbedding()])
def test_bfloat16_vectors_under_autocast_are_compared_in_float32(objective, pairs):
    vectors, labels = pairs.detach().bfloat16(), tensor([1, 0, 1, 1, 0, 0])
    expected = objective.loss(vectors.float(), labels, lambda: vectors.float().flip(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = objective.loss(vectors, labels, lambda: vectors.flip(0))
    assert loss.dtype == torch.float32
    assert_close(loss, expected)


# What does not fit


@pytest.mark.parametrize(
    ("objective", "labels", "sequences", "message"),
    [
        (MultipleNegativesRanking(), YES_NO, 1, "MultipleNegativesRanking compares the two sides of a pair"),
        (CosineEmbedding(), YES_NO, 1, "CosineEmbedding compares the two sides of a pair"),
        (MultipleNegativesRanking(), STARS, 2, "positive is None .*smallest positive score, above 0 to 5"),
        (CosineEmbedding(positive=6), STARS, 2, "positive is 6 .*smallest positive score"),
        (MultipleNegativesRanking(), CLASSES, 2, "positive is None .*number of a class, 0 to 2"),
        (MultipleNegativesRanking(positive=3), CLASSES, 2, "positive is 3 .*number of a class, 0 to 2"),
        (MultipleNegativesRanking(positive=4), YES_NO, 2, "positive is 4 .*expected 0 or 1"),
        (CosineEmbedding(margin=2), YES_NO, 2, "margin is 2"),
    ],
)
def test_what_does_not_fit_a_task_is_refused(objective, labels, sequences, message):
    with pytest.raises(ValueError, match=message):
        objective.check(labels, sequences)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SimCse(temperature=0.0), "temperature is 0.0"),
        (lambda: MultipleNegativesRanking(scale=-1.0), "scale is -1.0"),
        (lambda: SimCse(weight=0.0), "weight is 0.0"),
    ],
)
def test_options_are_checked(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize("labels", [CLASSES, YES_NO, STARS])
@pytest.mark.parametrize("sequences", [1, 2])
def test_simcse_fits_every_task(labels, sequences):
    SimCse().check(labels, sequences)
