import torch
from torch import nn

from objectives import PcGrad, StepId, TaskGradients


def weights(*sizes: int) -> list[nn.Parameter]:
    return [nn.Parameter(torch.zeros(size)) for size in sizes]


def test_gradients_of_several_batches_are_added_by_task_and_joined_by_hand():
    (weight,) = weights(2)
    gradients = TaskGradients([weight])
    for task, gradient in (("sst", [0.5, 0.0]), ("sts", [-1.0, 1.0]), ("sst", [0.5, 0.0])):
        weight.grad = torch.tensor(gradient)
        gradients.take(task)
        assert weight.grad is None
    gram = gradients.join(PcGrad(), StepId())
    assert gram.tolist() == [[1.0, -1.0], [-1.0, 2.0]]
    assert weight.grad.tolist() == [0.5, 1.5]


def test_a_weight_of_one_task_keeps_its_gradient_and_counts_for_no_conflict():
    shared, own, idle = weights(1, 2, 3)
    gradients = TaskGradients([shared, own, idle])
    shared.grad, own.grad = torch.tensor([1.0]), torch.tensor([-5.0, 5.0])
    gradients.take("sst")
    shared.grad = torch.tensor([-2.0])
    gradients.take("sts")
    assert gradients.join(PcGrad(), StepId()).tolist() == [[1.0, -2.0], [-2.0, 4.0]]
    assert (shared.grad.tolist(), own.grad.tolist(), idle.grad) == ([0.0], [-5.0, 5.0], None)


def test_a_window_of_one_task_is_left_as_it_is():
    (weight,) = weights(2)
    gradients = TaskGradients([weight])
    weight.grad = torch.tensor([1.0, 2.0])
    gradients.take("sst")
    assert gradients.join(PcGrad(), StepId()) is None
    assert weight.grad.tolist() == [1.0, 2.0]


def test_what_is_no_number_stays_to_be_found():
    (weight,) = weights(2)
    gradients = TaskGradients([weight])
    for task, value in (("sst", 1.0), ("sts", torch.inf)):
        weight.grad = torch.tensor([value, 0.0])
        gradients.take(task)
    gradients.join(PcGrad(), StepId())
    assert weight.grad.tolist() == [torch.inf, 0.0]


def test_joining_forgets_the_window():
    (weight,) = weights(1)
    gradients = TaskGradients([weight])
    for value in (1.0, 3.0):
        weight.grad = torch.tensor([value])
        gradients.take("sst")
        gradients.join(PcGrad(), StepId())
        assert weight.grad.item() == value
