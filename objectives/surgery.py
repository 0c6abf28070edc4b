"""The interface of gradient surgery: one gradient of the shared weights from those of the tasks."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from objectives.step_id import StepId


class Surgery(ABC):
    """Joins the tasks' gradients g_1 .. g_K of the shared weights into one, a sum of multiples of them.

    The multiples depend on the gradients only through their inner products, the Gram matrix G_ij = g_i · g_j: K x K
    numbers, however large the model is. They do not change when all gradients are multiplied by one number, so it does
    not matter that losses are divided by the accumulation window or multiplied by a gradient scaler.

    It is called once in an optimiser step, on every process with the same numbers. One that remembers something is an
    `nn.Module` too, with buffers for what it remembers: they are saved, and a resumed training goes on with them.
    """

    @abstractmethod
    def coefficients(self, gram: Tensor, step_id: StepId) -> Tensor:
        """Return the multiple of each task's gradient.

        Args:
            gram: Inner products of the gradients, (K, K) float64 on the CPU, all finite. The K tasks are those of the
                step, in the order of their first batches: a schedule without a window may leave some out.
            step_id: When, for methods that draw random numbers.

        Returns:
            Coefficients c of the joined gradient sum_k c_k g_k, (K,), all finite.
        """


def compute_gram(gradients: list[list[Tensor]]) -> Tensor:
    """Return the inner products of gradients, (K, K) float64 on the CPU.

    Args:
        gradients: For each of K tasks the gradients of the same parameters.

    Example:
        >>> compute_gram([[torch.tensor([1.0, 2.0])], [torch.tensor([0.0, -1.0])]]).tolist()
        [[5.0, -2.0], [-2.0, 1.0]]
    """
    lower = [torch.stack([_dot(one, other) for other in gradients[: row + 1]]) for row, one in enumerate(gradients)]
    gram = torch.nn.utils.rnn.pad_sequence(lower, batch_first=True).cpu()  # (K, K), the lower triangle
    return gram + gram.tril(-1).T


def _dot(one: list[Tensor], other: list[Tensor]) -> Tensor:
    dtype = torch.promote_types(one[0].dtype, torch.float32)
    products = [torch.dot(a.flatten().to(dtype), b.flatten().to(dtype)) for a, b in zip(one, other, strict=True)]
    return torch.stack(products).double().sum()
