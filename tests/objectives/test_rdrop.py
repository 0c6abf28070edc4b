import pytest
import torch
from torch import Tensor

from heads.divergences import score_divergence
from objectives import ForwardPass, RandomState, RDrop


def scores_pass(*outputs: float) -> ForwardPass:
    """Passes that give one score after the other, with the score itself as loss."""
    scores = iter([torch.tensor([output]) for output in outputs])
    return ForwardPass(
        output=next(scores),
        forward=lambda _: next(scores),
        embedded_shape=(1, 1),
        loss=Tensor.sum,
        divergence=score_divergence,
        random_state=RandomState.take(torch.device("cpu")),
    )


def test_the_objective_by_hand():
    clean = scores_pass(1.0, 4.0)
    objective = clean.loss(clean.output) + RDrop(alpha=2.0).penalty(clean)
    assert objective.item() == (1.0 + 4.0) / 2 + 2.0 * 3.0**2 / 2


def test_equal_passes_add_nothing():
    assert RDrop(alpha=5.0).penalty(scores_pass(2.0, 2.0)).item() == 0.0


def test_a_negative_alpha_is_refused():
    with pytest.raises(ValueError, match=r"RDrop: alpha is -0.5 \(expected 0 or more\)"):
        RDrop(alpha=-0.5)
