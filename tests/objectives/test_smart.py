from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from heads.divergences import class_divergence, score_divergence
from objectives import ForwardPass, RandomState, Smart


def make_pass(
    forward: Callable[[Tensor | None], Tensor], shape: tuple[int, int], divergence: Callable[..., Tensor]
) -> ForwardPass:
    state = RandomState.take(torch.device("cpu"))
    return ForwardPass(
        output=forward(None),
        forward=forward,
        embedded_shape=shape,
        loss=Tensor.sum,
        divergence=divergence,
        random_state=state,
    )


def linear_pass(weights: list[float]) -> ForwardPass:
    """One token whose score is a fixed linear function of its embedding, which is 0."""

    def forward(perturbation: Tensor | None) -> Tensor:
        embedded = torch.zeros(1, len(weights)) if perturbation is None else perturbation
        return embedded @ torch.tensor(weights)

    return make_pass(forward, (1, len(weights)), score_divergence)


def test_the_perturbation_of_a_linear_score_by_hand():
    torch.manual_seed(0)
    found = Smart(noise=1e-6, step_size=1.0, radius=0.5).find_perturbation(linear_pass([1.0, -2.0]))
    # The gradient of (w·d)² is 2(w·d)w: along w, whatever d was, with its largest entry scaled to radius.
    assert found.abs().tolist() == [pytest.approx([0.25, 0.5], abs=1e-5)]
    assert found[0, 0] * found[0, 1] < 0


def test_the_penalty_of_a_linear_score_by_hand():
    torch.manual_seed(0)
    penalty = Smart(weight=3.0, noise=1e-6, step_size=1.0, radius=0.5).penalty(linear_pass([1.0, -2.0]))
    assert penalty.item() == pytest.approx(3.0 * 1.25**2, rel=1e-4)


def test_the_ball_cuts_each_entry():
    torch.manual_seed(0)
    found = Smart(noise=1e-7, step_size=1e-3, radius=1e-4, projection="ball").find_perturbation(linear_pass([1.0, -2]))
    assert found.abs().tolist() == [pytest.approx([1e-4, 1e-4])]


class Network(nn.Module):
    """Two layers with dropout over four tokens with fixed embeddings."""

    def __init__(self) -> None:
        super().__init__()
        self.embedded = torch.randn(4, 8)
        self.layers = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Dropout(0.3), nn.Linear(16, 3))

    def forward(self, perturbation: Tensor | None) -> Tensor:
        embedded = self.embedded if perturbation is None else self.embedded + perturbation
        logits: Tensor = self.layers(embedded)
        return logits


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_the_found_perturbation_raises_the_divergence_above_random_noise_of_equal_size(precision):
    torch.manual_seed(0)
    clean = make_pass(Network(), (4, 8), class_divergence)
    smart = Smart(radius=0.2)
    with torch.autocast("cpu", dtype=precision, enabled=precision != torch.float32):
        found = smart.find_perturbation(clean)
    assert found.abs().amax(dim=1).tolist() == pytest.approx([0.2] * 4)
    random = [Smart(radius=0.2, steps=0).find_perturbation(clean) for _ in range(50)]
    assert all(noise.abs().amax().item() == pytest.approx(0.2) for noise in random)

    def rise(perturbation: Tensor) -> float:
        return clean.divergence(clean.output, clean.repeat(perturbation)).item()

    rises = [rise(noise) for noise in random]
    assert rise(found) > max(rises) > min(rises) > 0


def test_more_steps_go_further():
    torch.manual_seed(0)
    clean = make_pass(Network(), (4, 8), class_divergence)
    rises = []
    for steps in (0, 1, 5):
        torch.manual_seed(1)
        found = Smart(radius=1.0, steps=steps, step_size=0.5).find_perturbation(clean)
        rises.append(clean.divergence(clean.output, clean.repeat(found)).item())
    assert rises[0] < rises[1] < rises[2]


def test_clean_and_perturbed_pass_have_the_same_dropout_masks():
    torch.manual_seed(0)
    network = Network()
    clean = make_pass(network, (4, 8), class_divergence)
    assert torch.equal(clean.repeat(), clean.output)
    assert torch.equal(clean.repeat(torch.zeros(4, 8)), clean.output)
    assert not torch.equal(clean.redraw(), clean.output)


def test_finding_the_perturbation_leaves_no_gradient_behind():
    torch.manual_seed(0)
    network = Network()
    clean = make_pass(network, (4, 8), class_divergence)
    assert not Smart().find_perturbation(clean).requires_grad
    assert [parameter.grad for parameter in network.parameters()] == [None] * 4
    Smart().penalty(clean).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weight": -1.0}, "Smart: weight is -1.0"),
        ({"noise": 0.0}, "Smart: noise is 0.0"),
        ({"radius": -1.0}, "Smart: radius is -1.0"),
        ({"steps": -1}, "Smart: steps is -1"),
        ({"projection": "box"}, "Smart: projection is 'box' \\(expected 'ball' or 'sphere'\\)"),
    ],
)
def test_numbers_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Smart(**settings)
