import pytest
import torch

from objectives import PcGrad, StepId, UpGrad
from objectives.surgery import Surgery, compute_gram


def join(surgery: Surgery, gradients: torch.Tensor, *, step: int = 0) -> torch.Tensor:
    """Return the joined gradient of rows of gradients, (K, P)."""
    gram = compute_gram([[row] for row in gradients])
    return surgery.coefficients(gram, StepId(step=step)).to(gradients.dtype) @ gradients


def draw_gradients(num_tasks: int, seed: int, *, size: int = 6) -> torch.Tensor:
    return torch.randn(num_tasks, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def plain_pcgrad(gradients: torch.Tensor, *, step: int) -> torch.Tensor:
    """Algorithm 1 of the paper, on whole gradients."""
    rng = StepId(step=step).draw("surgery")
    projected = []
    for task, gradient in enumerate(gradients):
        own = gradient.clone()
        for other in rng.permutation(len(gradients)):
            inner = own @ gradients[other]
            if other != task and inner < 0:
                own = own - inner / gradients[other].square().sum() * gradients[other]
        projected.append(own)
    return torch.stack(projected).sum(dim=0)


def test_gram_is_that_of_joined_gradients():
    parts = [torch.randn(3, 4, 5), torch.randn(3, 7)]
    whole = torch.cat([part.flatten(1) for part in parts], dim=1).double()
    gram = compute_gram([[part[task] for part in parts] for task in range(3)])
    torch.testing.assert_close(gram, whole @ whole.T, atol=1e-5, rtol=1e-5)
    assert gram.dtype == torch.float64
    assert torch.equal(gram, gram.T)


@pytest.mark.parametrize("surgery", [PcGrad(), UpGrad()])
def test_two_conflicting_tasks_by_hand(surgery):
    # g1 = (1, 0), g2 = (-1, 1): g1·g2 = -1. g1 + g2 / 2 = (1/2, 1/2), g2 + g1 = (0, 1).
    gradients = torch.tensor([[1.0, 0.0], [-1.0, 1.0]], dtype=torch.float64)
    assert join(surgery, gradients).tolist() == pytest.approx([0.5, 1.5])
    assert join(type(surgery)("mean"), gradients).tolist() == pytest.approx([0.25, 0.75])


@pytest.mark.parametrize("surgery", [PcGrad(), UpGrad()])
def test_without_conflict_gradients_are_added(surgery):
    gradients = draw_gradients(4, seed=0).abs()
    torch.testing.assert_close(join(surgery, gradients), gradients.sum(dim=0))


@pytest.mark.parametrize("num_tasks", [2, 3, 5])
@pytest.mark.parametrize("step", range(5))
def test_pcgrad_equals_the_algorithm_on_whole_gradients(num_tasks, step):
    gradients = draw_gradients(num_tasks, seed=step)
    torch.testing.assert_close(join(PcGrad(), gradients, step=step), plain_pcgrad(gradients, step=step))


def test_pcgrads_order_depends_on_the_step_and_repeats():
    gradients = draw_gradients(4, seed=2)
    joined = [join(PcGrad(), gradients, step=step) for step in range(8)]
    assert torch.equal(joined[3], join(PcGrad(), gradients, step=3))
    assert len({tuple(one.tolist()) for one in joined}) > 1


@pytest.mark.parametrize("step", range(5))
def test_for_two_tasks_upgrad_is_pcgrad(step):
    gradients = draw_gradients(2, seed=step)
    torch.testing.assert_close(join(UpGrad(), gradients), join(PcGrad(), gradients))


@pytest.mark.parametrize("num_tasks", [3, 5])
def test_upgrad_never_conflicts_where_pcgrad_can(num_tasks):
    worst = {PcGrad(): 0.0, UpGrad(): 0.0}
    for seed in range(40):
        gradients = draw_gradients(num_tasks, seed)
        for surgery in worst:
            worst[surgery] = min(worst[surgery], (gradients @ join(surgery, gradients)).min().item())
    assert worst[UpGrad()] > -1e-9
    assert worst[PcGrad()] < -0.01


@pytest.mark.parametrize("surgery", [PcGrad(), UpGrad()])
@pytest.mark.parametrize("scale", [1e-12, 65536.0])
def test_a_common_factor_passes_through(surgery, scale):
    gradients = draw_gradients(3, seed=4)
    torch.testing.assert_close(join(surgery, scale * gradients), scale * join(surgery, gradients))


@pytest.mark.parametrize("surgery", [PcGrad(), UpGrad()])
def test_a_gradient_of_zeros_and_opposite_gradients_are_no_trouble(surgery):
    gradient = torch.tensor([3.0, 4.0], dtype=torch.float64)
    torch.testing.assert_close(join(surgery, torch.stack([gradient, 0 * gradient])), gradient)
    assert join(surgery, torch.stack([gradient, -2 * gradient])).abs().max() < 1e-6
    assert join(surgery, torch.zeros(2, 2, dtype=torch.float64)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("surgery", [PcGrad, UpGrad])
def test_another_reduction_is_refused(surgery):
    with pytest.raises(ValueError, match=r"reduction is 'max' \(expected 'sum' or 'mean'\)"):
        surgery("max")
