"""What a step on one task does to another task's dev loss: to first order, from gradients at trained weights.

A step on a batch of task B moves the shared weights by -lr * g_B / rms, where lr and rms are one number for each weight
tensor: its learning rate, and the root of the mean squared gradient over the tasks' batches, as Adam divides. To first
order it removes this part of task A's dev loss L_A:

    gain(B, A) = sum over tensors of lr * <dev gradient of L_A, train gradient of L_B> / rms / L_A

Source: the task affinity of Fifty et al. 2021, https://arxiv.org/abs/2109.04617, with the first order of its lookahead
step (as Pruthi et al. 2020, https://arxiv.org/abs/2002.08484), losses on dev, and Adam's division (as Xia et al. 2024,
https://arxiv.org/abs/2402.04333), with one divisor a tensor (as Zhang et al. 2024, https://arxiv.org/abs/2406.16793).

Limits: it says what the next step does near the weights at hand, not what a whole training does. Heads stay as they
are, overfitting is not seen, and losses are those of the labels alone, without weights of tasks and classes, teachers,
debiasing and regularisers, over the rows of the files as they are: none balanced, chosen or made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from experiments.probes import Probe
from experiments.statistics import Interval
from inference.model import TrainedModel
from runtime.counts import counted
from tasks import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Gains:
    """The measured gains.

    Args:
        tasks: Names of the tasks, [K].
        values: Part of the loss that one step removes: of each train batch against the mean dev gradient, then of the
            mean train gradient against each dev batch; by the task of the step and the task that gains, (2, R, K, K).
    """

    tasks: tuple[str, ...]
    values: Floats

    def of_step(self, task: str, target: str) -> Floats:
        """Return what a step on a task does to another, or itself, (2, R)."""
        found: Floats = self.values[:, :, self.tasks.index(task), self.tasks.index(target)]
        return found

    def of_set(self, steps: Mapping[str, int], target: str, *, alone: float) -> Floats:
        """Return how much better a task ends in a set than alone, per step of the set, (2, R).

        Args:
            steps: Steps on each task of the set.
            target: The task, one of them.
            alone: Steps on it alone, for each step on it in the set: at 1 the other tasks' steps come on top of its
                own; where both trainings made equally many, they take the place of some of its own.
        """
        total = sum(steps.values())
        mean = sum((count / total * self.of_step(task, target) for task, count in steps.items()), np.zeros(()))
        return np.asarray(mean - alone * steps[target] / total * self.of_step(target, target))


def find_interval(values: Floats, *, confidence: float = 0.95) -> Interval:
    """Return the mean of a gain with its t interval over train and dev batches.

    The gain is an inner product of two means, a two-sample U statistic: its variance is that over the train batches
    plus that over the dev batches.

    Args:
        values: As from `Gains`, (2, R).
        confidence: Share of such intervals that hold the truth.

    Source: Hoeffding 1948, https://doi.org/10.1214/aoms/1177730196

    Example:
        >>> found = find_interval(np.array([[1.0, 3.0], [2.0, 2.0]]), confidence=0.5)
        >>> found.estimate, round(found.low, 6), round(found.high, 6)
        (2.0, 1.0, 3.0)
    """
    number = values.shape[1]
    error = np.sqrt(values.var(axis=1, ddof=1).sum() / number)
    half = float(stats.t.ppf((1 + confidence) / 2, number - 1) * error)
    mean = float(values.mean())
    return Interval(mean, mean - half, mean + half)


def measure_gains(
    model: TrainedModel, train: Sequence[Probe], dev: Sequence[Probe], *, batches: int, lr: float | Sequence[float]
) -> Gains:
    """Measure the gains of all tasks on each other: three passes, over the dev, the train and again the dev batches.

    Memory: two copies of the shared weights for each task.

    Args:
        model: The trained model, in evaluation mode.
        train: Train examples of each task, whose gradients are the steps.
        dev: Dev examples of each task, in the same order, whose losses the steps change.
        batches: Number of batches of each (R).
        lr: Learning rate of the steps, one for all or one for each of `find_shared`, [P].

    Raises:
        InputError: If the tasks share no weight that trains, or a loss is no finite number.
    """
    weights = find_shared(model)
    shape = (batches, len(train), len(dev), len(weights))
    of_train, of_dev, squares, losses = np.zeros(shape), np.zeros(shape), np.zeros(len(weights)), np.zeros(len(dev))
    targets = [_zeros(weights) for _ in dev]  # mean dev gradients
    steps = [_zeros(weights) for _ in train]  # mean train gradients
    for number in range(batches):
        for target, probe in enumerate(dev):
            loss, gradients = compute_gradients(model, weights, probe, number)
            losses[target] += loss / batches
            _add(targets[target], gradients, 1 / batches)
    for number in range(batches):
        for step, probe in enumerate(train):
            _, gradients = compute_gradients(model, weights, probe, number)
            squares += _dots(gradients, gradients)
            of_train[number, step] = [_dots(gradients, wanted) for wanted in targets]
            _add(steps[step], gradients, 1 / batches)
    for number in range(batches):
        for target, probe in enumerate(dev):
            _, wanted = compute_gradients(model, weights, probe, number)
            of_dev[number, :, target] = [_dots(step, wanted) for step in steps]
    rms = np.sqrt(squares / (batches * len(train)) / [weight.numel() for weight in weights])  # (P,)
    both = np.stack([of_train, of_dev])
    parts = np.divide(both, rms, out=np.zeros_like(both), where=rms > 0)
    return Gains(tuple(probe.task for probe in train), (parts * np.asarray(lr)).sum(axis=-1) / losses)


def find_shared(model: TrainedModel) -> list[Tensor]:
    """Return the weights that train and that all tasks share.

    Raises:
        InputError: If there are none.
    """
    trunk = [] if model.trunk is None else [weight for weight in model.trunk.parameters() if weight.requires_grad]
    weights: list[Tensor] = [*model.backbone.shared_parameters().values(), *trunk]
    if not weights:
        raise InputError("the tasks share no weight that was trained (expected a training without freeze_backbone)")
    return weights


def compute_gradients(
    model: TrainedModel, weights: Sequence[Tensor], probe: Probe, number: int
) -> tuple[float, list[Tensor]]:
    """Return the mean loss of a batch, and its gradients: 0 for weights that it does not use.

    Raises:
        InputError: If the loss is no finite number.
    """
    device = weights[0].device
    tokens, labels = probe.batch(number)
    output = model.output(model.pool(tokens.to(device), probe.task), probe.task)
    loss = model.head(probe.task).loss(output, labels.to(device))
    if not bool(loss.isfinite()):
        raise InputError(
            f"task {probe.task}: its loss over {counted(probe.size, 'example')} is {loss.item()} (expected a finite "
            "number; fewer --batches have more examples each)"
        )
    found = torch.autograd.grad(loss, list(weights), allow_unused=True, materialize_grads=True)
    return loss.item(), list(found)


def _zeros(weights: Sequence[Tensor]) -> list[Tensor]:
    return [torch.zeros_like(weight) for weight in weights]


def _add(total: Sequence[Tensor], gradients: Sequence[Tensor], factor: float) -> None:
    for one, other in zip(total, gradients, strict=True):
        one.add_(other, alpha=factor)


def _dots(one: Sequence[Tensor], other: Sequence[Tensor]) -> Floats:
    """Return the inner product of each pair of tensors, (P,)."""
    products = [torch.dot(a.flatten(), b.flatten()) for a, b in zip(one, other, strict=True)]
    return torch.stack(products).double().cpu().numpy()
