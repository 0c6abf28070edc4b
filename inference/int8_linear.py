"""Linear layers that multiply in int8 on a CPU."""

import time
from collections.abc import Callable, Collection, Iterator
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from runtime.errors import reason_of
from tasks import InputError

LARGEST_CODE = 255
SMALLEST_STEP = 2.0**-20  # of a row, as a share of its values: with a smaller one float32 cannot count the steps


class Int8Linear(nn.Module):
    """A linear layer with int8 weights, one scale an output, and activations that become int8 token by token.

    Each token has a scale and a zero point of its own, from its smallest to its largest activation, so it is rounded
    alike in every batch, and needs no calibration. The products are exact in int32. Weights have eight bits, on a CPU
    without VNNI seven (see `largest_weight`).

    The operators are oneDNN's, which PyTorch registers for its compiler and has no Python function for. What else there
    was when this was written: `torch._int_mm` is as fast with VNNI, but has no kernel without it (25 times as slow as
    fp32); `torch.ao.quantization` and the quantised tensors below it are deprecated; torchao's layers use `_int_mm`.

    Args:
        linear: The layer whose weights are taken.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        scales = (weight.abs().amax(dim=1) / largest_weight()).clamp_min(torch.finfo(torch.float32).tiny)  # (N,)
        codes = (weight / scales[:, None]).round().to(torch.int8)  # (N, K)
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self._multiply = prepare_product(codes, scales)
        self._bias = torch.zeros_like(scales) if linear.bias is None else linear.bias.detach().float().clone()
        self._sums = codes.sum(dim=1, dtype=torch.int32) * scales  # (N,): what a token's zero point is multiplied with

    def forward(self, states: Tensor) -> Tensor:
        """Return the layer's output in float32, (..., N).

        Args:
            states: Activations, (..., K).
        """
        rows = states.reshape(-1, self.in_features).float()  # (R, K)
        codes, scales, lowest = quantize_rows(rows)
        products = self._multiply(codes)  # (R, N)
        torch.addcmul(self._bias, products, scales, out=products).addcmul_(lowest, self._sums)
        return products.view(*states.shape[:-1], self.out_features)


def quantize_rows(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Round each row to 256 levels between its smallest and its largest value.

    Args:
        rows: (R, K).

    Returns:
        Codes (R, K), uint8, and each row's step and smallest value, (R, 1): a row is about codes * step + smallest.

    Example:
        >>> codes, step, lowest = quantize_rows(torch.tensor([[-1.0, 0.02, 1.55]]))
        >>> codes.tolist(), round(float(step), 4), float(lowest)
        ([[0, 102, 255]], 0.01, -1.0)
    """
    lowest, highest = rows.amin(dim=1, keepdim=True), rows.amax(dim=1, keepdim=True)
    step = torch.maximum((highest - lowest) / LARGEST_CODE, lowest.abs() * SMALLEST_STEP).clamp_min_(1e-30)
    inverse = step.reciprocal()
    shifted = torch.mul(rows, inverse).sub_(lowest * inverse + 128).round_()  # -128 to 127
    codes = shifted.to(torch.int8).bitwise_xor_(-128).view(torch.uint8)  # to uint8 at once is six times as slow
    return codes, step, lowest


def prepare_product(codes: Tensor, scales: Tensor) -> Callable[[Tensor], Tensor]:
    """Return the product of uint8 rows (R, K) with weights, in float32, (R, N).

    Args:
        codes: Weights, int8, (N, K).
        scales: What each output is multiplied with, (N,).
    """
    operators: Any = torch.ops.onednn
    packed = operators.qlinear_prepack(codes.contiguous(), None)
    zeros = torch.zeros(len(codes), dtype=torch.int64)

    def multiply(rows: Tensor) -> Tensor:
        found: Tensor = operators.qlinear_pointwise(
            rows, 1.0, 0, packed, scales, zeros, None, 1.0, 0, torch.float32, "none", [], ""
        )
        return found

    return multiply


def linear_layers(encoder: nn.Module) -> Iterator[tuple[str, nn.Module, str, nn.Linear]]:
    """Give the name, the parent, the name in the parent and the module of each linear layer of an encoder."""
    for path, parent in encoder.named_modules():
        for name, child in parent.named_children():
            if isinstance(child, nn.Linear):
                yield f"{path}.{name}".removeprefix("."), parent, name, child


def use_int8(encoder: nn.Module, *, but: Collection[str] = ()) -> int:
    """Put int8 layers into the place of an encoder's linear layers, and return how many.

    Args:
        encoder: A plain one, without LoRA's wrappers; changed in place.
        but: Names of layers that stay as they are.
    """
    found = [layer for layer in linear_layers(encoder) if layer[0] not in but]
    for _, parent, name, linear in found:
        setattr(parent, name, Int8Linear(linear))
    return len(found)


def check_int8(device: torch.device) -> None:
    """Raise an InputError where int8 layers cannot be had, or would be slower than those in fp32.

    Args:
        device: Where the model computes.
    """
    if device.type != "cpu":
        raise InputError(f"int8 is for a CPU (the device is {device})")
    try:
        limit = largest_weight()
    except (AttributeError, RuntimeError) as error:
        reason = reason_of(error)
        raise InputError(f"int8: PyTorch {torch.__version__} has no int8 products for this CPU ({reason})") from None
    if limit == 0:
        raise InputError(f"int8: the int8 products of PyTorch {torch.__version__} are wrong on this CPU")
    rows, weight = torch.ones(64, 256, dtype=torch.uint8), torch.ones(256, 256, dtype=torch.int8)
    multiply, plain_rows, plain_weight = prepare_product(weight, torch.ones(256)), rows.float(), weight.float()
    seconds, plain_seconds = _time(lambda: multiply(rows)), _time(lambda: plain_rows @ plain_weight)
    if seconds > 2 * plain_seconds:
        raise InputError(
            f"int8: products take {seconds / plain_seconds:.0f} times as long as in fp32 on this CPU (leave int8 out)"
        )


@cache
def largest_weight() -> int:
    """Return the largest code of a weight whose products are exact on this CPU: 127, or 63 for seven bits; 0 for none.

    Without VNNI a CPU adds two products in sixteen bits, which eight bits of each factor overflow. Seven bits round
    two to three times as much, in the answers of a fine-tuned MiniLM.
    """
    rows = torch.full((64, 256), LARGEST_CODE, dtype=torch.uint8)
    for limit in (127, 63):
        product = prepare_product(torch.full((256, 256), limit, dtype=torch.int8), torch.ones(256))(rows)
        if bool((product == 256.0 * LARGEST_CODE * limit).all()):
            return limit
    return 0


def _time(compute: Callable[[], object]) -> float:
    """Return the CPU seconds of the fastest of some calls."""
    seconds = []
    for _ in range(5):
        started = time.process_time()
        compute()
        seconds.append(time.process_time() - started)
    return min(seconds)
