import re

import pytest
import torch
from torch import Tensor, nn

from objectives import StepId, Surgery, TaskGradients


class Fixed(Surgery):
    def __init__(self, coefficients: object) -> None:
        self.found = coefficients

    def coefficients(self, gram: Tensor, step_id: StepId) -> Tensor:
        return self.found  # type: ignore[return-value]


def join(surgery: Surgery) -> Tensor:
    weight = nn.Parameter(torch.zeros(2))
    gradients = TaskGradients([weight])
    for task, gradient in (("sst", [1.0, 2.0]), ("quora", [0.0, 4.0])):
        weight.grad = torch.tensor(gradient)
        gradients.take(task)
    gradients.join(surgery, StepId())
    assert weight.grad is not None
    return weight.grad


@pytest.mark.parametrize(
    ("coefficients", "said"),
    [
        (torch.ones(3), "[1.0, 1.0, 1.0]"),
        (torch.ones(2, 1), "[[1.0], [1.0]]"),
        (torch.tensor([1.0, float("nan")]), "[1.0, nan]"),
    ],
)
def test_coefficients_are_a_finite_number_for_each_task(coefficients: Tensor, said: str) -> None:
    expected = f"Fixed: coefficients are {said} (expected 2 finite numbers, one for each task of the step)"
    with pytest.raises(ValueError, match=re.escape(expected)):
        join(Fixed(coefficients))


def test_coefficients_may_be_a_list_or_have_gradients() -> None:
    assert join(Fixed([2.0, 0.5])).tolist() == [2.0, 6.0]
    assert join(Fixed(torch.tensor([2.0, 0.5], requires_grad=True))).tolist() == [2.0, 6.0]
